import { goQuote } from "./go-quote.ts";
import { action, complaint, state, table } from "./json-scan-table.ts";
import { stringRunEnd } from "./string-run.ts";

const { ended, failed, inString } = state;
const { first: firstAction, firstReread } = action;

/** Go's own limit: one level more and its decoder refuses the body. */
const depthMax = 10_000;

/**
 * Hears of the members of the outermost object. `at` is an index into the chunk that is being
 * scanned; an end is the index behind the last byte.
 */
export interface JsonScanListener {
  begun(firstByte: number): void;
  objectOpened(at: number): void;
  keyBegun(at: number): void;
  keyEnded(at: number): void;
  memberBegun(at: number, firstByte: number): void;
  memberEnded(at: number, isEmpty: boolean): void;
  /** A value directly inside a member that is a list or an object has ended. */
  innerEnded?(at: number): void;
}

/**
 * Scans one JSON value as Go's `json.Decoder` does, chunk by chunk, without recursion and without
 * an allocation per value. What follows the value is ignored, as Go ignores it.
 */
export class JsonScanner {
  readonly #listener: JsonScanListener;
  #state: number = state.beginValue;
  #error: string | null = null;
  #hasBegun = false;
  #isInKey = false;
  #isInMember = false;
  #depth = 0;
  /** One entry for each open container: the state after a value inside it. */
  #stack = new Uint8Array(64);

  constructor(listener: JsonScanListener) {
    this.#listener = listener;
  }

  /** Whether the value is complete or refused, so that further bytes change nothing. */
  get isOver(): boolean {
    return this.#state === ended || this.#state === failed;
  }

  /** Scans the next bytes of the body. Answers how many of them are not behind the value. */
  write(chunk: Uint8Array): number {
    if (!this.#hasBegun) this.#begin(chunk);
    const { length } = chunk;
    const rows = table;
    let current = this.#state;
    let at = 0;
    while (at < length && current !== ended && current !== failed) {
      if (current === inString) {
        at = stringRunEnd(chunk, at);
        if (at === length) break;
      }
      const byte = chunk[at] ?? 0;
      const next = rows[(current << 8) | byte] ?? failed;
      if (next < firstAction && next !== failed) {
        current = next;
        at += 1;
        continue;
      }
      current = this.#act(next, at, byte, current);
      if (next < firstReread) at += 1;
    }
    this.#state = current;
    return at;
  }

  /**
   * Call after the last byte. Null when Go accepts the value, else its error text; `EOF` means that
   * there was nothing but white space.
   */
  end(): string | null {
    if (this.isOver) return this.#error;
    if (!this.#hasBegun) return "EOF";
    const next = table[this.#state * 256 + 0x20];
    return this.#depth === 0 && next === action.endNumber ? null : "unexpected EOF";
  }

  #begin(chunk: Uint8Array): void {
    const first = chunk.find(
      (byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d,
    );
    if (first === undefined) return;
    this.#hasBegun = true;
    this.#listener.begun(first);
  }

  /** Each action returns the state that it leads to. */
  #act(next: number, at: number, byte: number, current: number): number {
    switch (next) {
      case action.openObject:
        return this.#open(at, byte, state.afterMember, state.beginFirstKey);
      case action.openArray:
        return this.#open(at, byte, state.afterElement, state.beginElement);
      case action.close:
        this.#depth -= 1;
        return this.#endValue(at + 1, false);
      case action.closeEmpty:
        this.#depth -= 1;
        return this.#endValue(at + 1, true);
      case action.openKey:
        this.#isInKey = true;
        if (this.#depth === 1) this.#listener.keyBegun(at);
        return inString;
      case action.colon:
        return this.#depth === 1 ? state.beginMember : state.beginValue;
      case action.endString:
        return this.#isInKey ? this.#endKey(at + 1) : this.#endValue(at + 1, false);
      case action.endLiteral:
        return this.#endValue(at + 1, false);
      case action.endNumber:
        return this.#endValue(at, false);
      case action.startMember:
        this.#isInMember = true;
        this.#listener.memberBegun(at, byte);
        return state.beginValue;
      default:
        return this.#refuse(byte, complaint.get(current) ?? "");
    }
  }

  #open(at: number, byte: number, after: number, next: number): number {
    if (this.#depth === depthMax) return this.#refuse(byte, "exceeded max depth");
    if (this.#depth === this.#stack.length) this.#grow();
    this.#stack[this.#depth] = after;
    this.#depth += 1;
    if (this.#depth === 1 && after === state.afterMember) this.#listener.objectOpened(at + 1);
    return next;
  }

  #endKey(at: number): number {
    this.#isInKey = false;
    if (this.#depth === 1) this.#listener.keyEnded(at);
    return state.afterKey;
  }

  #endValue(at: number, isEmpty: boolean): number {
    if (this.#depth === 1 && this.#isInMember) {
      this.#isInMember = false;
      this.#listener.memberEnded(at, isEmpty);
    }
    if (this.#depth === 2) this.#listener.innerEnded?.(at);
    return this.#depth === 0 ? ended : (this.#stack[this.#depth - 1] ?? failed);
  }

  #refuse(byte: number, context: string): number {
    this.#error = `invalid character '${quoteByte(byte)}' ${context}`;
    return failed;
  }

  #grow(): void {
    const larger = new Uint8Array(this.#stack.length * 2);
    larger.set(this.#stack);
    this.#stack = larger;
  }
}

/** Go takes the byte for a Latin-1 letter, and quotes it for single quotes. */
function quoteByte(byte: number): string {
  if (byte === 0x27) return "\\'";
  if (byte === 0x22) return '"';
  return goQuote(String.fromCharCode(byte)).slice(1, -1);
}
