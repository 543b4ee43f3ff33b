import { ByteCapture } from "./byte-capture.ts";
import { foldKey } from "./fold-key.ts";
import { JsonScanner } from "./json-scanner.ts";

export type JsonKind = "string" | "number" | "bool" | "null" | "array" | "object";

/** One occurrence of a chosen member of the outermost object. */
export type PeekedMember = {
  /** As chosen, however the client spelled it. */
  readonly name: string;
  readonly kind: JsonKind;
  /** Whether a string, array or object is empty; false for the other kinds. */
  readonly isEmpty: boolean;
  /** The value's bytes; null if they were not asked for or are more than `memberBytesMax`. */
  readonly raw: Buffer | null;
};

export type PeekResult =
  | { readonly kind: "malformed"; readonly message: string }
  | {
      readonly kind: "value";
      readonly valueKind: JsonKind;
      /** Null unless the value is an object. `contentOffset` is the offset just after its `{`. */
      readonly object: { readonly contentOffset: number; readonly isEmpty: boolean } | null;
      /** In the order of the body; of a repeated member the last `repeatsMax`. */
      readonly members: readonly PeekedMember[];
    };

/** Which members of the outermost object to look at. */
export type PeekPlan = { readonly raw: readonly string[]; readonly kindOnly: readonly string[] };

/** What foreman decides on is small; a larger value is told by its kind alone. */
export const memberBytesMax = 64 * 1024;

/** Go decodes a repeated member anew each time; a body that does so more often is not followed. */
export const repeatsMax = 4;

/** Each byte of a name may be written as six: \u0041. */
const bytesPerLetter = 6;

/**
 * Looks into a JSON body while it arrives, and judges it as Go's `json.Decoder` does when it
 * decodes one value into a struct: which bodies it accepts, its error texts, and how keys match
 * fields.
 * Source: Go 1.26 encoding/json; checked against test/fixtures/go-json.jsonl.
 */
export class JsonPeek {
  readonly #scanner: JsonScanner;
  readonly #chosen: ReadonlyMap<string, { name: string; bytesMax: number }>;
  readonly #keyBytesMax: number;
  readonly #key = new ByteCapture();
  readonly #value = new ByteCapture();
  readonly #members: PeekedMember[] = [];
  #chunk: Uint8Array = new Uint8Array(0);
  #chunkOffset = 0;
  #valueKind: JsonKind = "null";
  #contentOffset: number | null = null;
  #hasMembers = false;
  #open: { name: string; kind: JsonKind } | null = null;
  #matched: { name: string; bytesMax: number } | null = null;

  constructor(plan: PeekPlan) {
    const raw = plan.raw.map((name) => ({ name, bytesMax: memberBytesMax }));
    const noticed = plan.kindOnly.map((name) => ({ name, bytesMax: 0 }));
    this.#chosen = new Map([...raw, ...noticed].map((entry) => [entry.name.toLowerCase(), entry]));
    const lengths = [...plan.raw, ...plan.kindOnly].map((name) => name.length);
    this.#keyBytesMax = Math.max(0, ...lengths) * bytesPerLetter + 2;
    this.#scanner = new JsonScanner({
      begun: (byte) => {
        this.#valueKind = kindOf(byte);
      },
      objectOpened: (at) => {
        this.#contentOffset = this.#chunkOffset + at;
      },
      keyBegun: (at) => {
        this.#hasMembers = true;
        this.#key.begin(at, this.#keyBytesMax);
      },
      keyEnded: (at) => this.#match(at),
      memberBegun: (at, byte) => this.#begin(at, byte),
      memberEnded: (at, isEmpty) => this.#end(at, isEmpty),
    });
  }

  /** Whether further bytes cannot change the result. */
  get isOver(): boolean {
    return this.#scanner.isOver;
  }

  /** Takes the next bytes of the body. They are not kept. */
  write(chunk: Uint8Array): void {
    if (this.#scanner.isOver) return;
    this.#chunk = chunk;
    this.#scanner.write(chunk);
    this.#key.carry(chunk);
    this.#value.carry(chunk);
    this.#chunkOffset += chunk.length;
  }

  /** Call once, after the last byte. The message of a malformed body is Go's own. */
  end(): PeekResult {
    const message = this.#scanner.end();
    if (message !== null) return { kind: "malformed", message };
    const contentOffset = this.#contentOffset;
    return {
      kind: "value",
      valueKind: this.#valueKind,
      object: contentOffset === null ? null : { contentOffset, isEmpty: !this.#hasMembers },
      members: this.#members,
    };
  }

  #match(at: number): void {
    const { raw } = this.#key.finish(this.#chunk, at);
    this.#matched = raw === null ? null : (this.#chosen.get(foldKey(raw)) ?? null);
  }

  #begin(at: number, byte: number): void {
    if (this.#matched === null) return;
    this.#open = { name: this.#matched.name, kind: kindOf(byte) };
    this.#value.begin(at, this.#matched.bytesMax);
  }

  #end(at: number, isEmptyContainer: boolean): void {
    if (this.#open === null) return;
    const { name, kind } = this.#open;
    const { size, raw } = this.#value.finish(this.#chunk, at);
    const isEmpty = isEmptyContainer || (kind === "string" && size === '""'.length);
    this.#open = null;
    this.#forgetOldest(name);
    this.#members.push({ name, kind, isEmpty, raw });
  }

  #forgetOldest(name: string): void {
    const same = this.#members.filter((member) => member.name === name);
    const [oldest] = same;
    if (oldest === undefined || same.length < repeatsMax) return;
    this.#members.splice(this.#members.indexOf(oldest), 1);
  }
}

function kindOf(byte: number): JsonKind {
  switch (byte) {
    case 0x22:
      return "string";
    case 0x7b:
      return "object";
    case 0x5b:
      return "array";
    case 0x74:
    case 0x66:
      return "bool";
    case 0x6e:
      return "null";
    default:
      return "number";
  }
}
