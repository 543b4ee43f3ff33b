import { ByteCapture } from "./byte-capture.ts";
import { JsonScanner } from "./json-scanner.ts";

/** A name is a handle: no member that anybody knows has a longer one. */
const nameBytesMax = 256;

const openBracket = 0x5b;

type SplitterOptions = {
  /** A member of the document other than `items`; null: its value is larger than may be. */
  readonly onMember: (name: string, value: Buffer | null) => void;
  /** An element of `items`; null: it is larger than may be. */
  readonly onItem: (text: Buffer | null) => void;
  readonly memberBytesMax: number;
  readonly itemBytesMax: number;
};

/**
 * Cuts a document `{…, "items": [a, b, …], …}` into its members and items while it comes in,
 * so that nobody holds it whole. The scanner judges that it is JSON; the parts are sound JSON.
 */
export class ItemSplitter {
  readonly #options: SplitterOptions;
  readonly #scanner: JsonScanner;
  readonly #name = new ByteCapture();
  readonly #value = new ByteCapture();
  #chunk: Uint8Array = new Uint8Array(0);
  #memberName = "";
  #listsOfItems = 0;
  #isInItems = false;
  #isObject = false;
  #isFollowed = false;

  constructor(options: SplitterOptions) {
    this.#options = options;
    this.#scanner = new JsonScanner({
      begun: () => {},
      objectOpened: () => {
        this.#isObject = true;
      },
      keyBegun: (at) => this.#name.begin(at, nameBytesMax),
      keyEnded: (at) => {
        const { raw } = this.#name.finish(this.#chunk, at);
        this.#memberName = raw === null ? "" : String(JSON.parse(raw.toString("utf8")));
      },
      memberBegun: (at, firstByte) => this.#begin(at, firstByte),
      innerEnded: (at) => {
        if (this.#isInItems) this.#endItem(at);
      },
      memberEnded: (at) => this.#end(at),
    });
  }

  /** How often the document had `items` as a list. */
  get listsOfItems(): number {
    return this.#listsOfItems;
  }

  /** Whether the document is an object, as far as it came. */
  get isObject(): boolean {
    return this.#isObject;
  }

  write(chunk: Uint8Array): void {
    this.#chunk = chunk;
    const takenBytes = this.#scanner.write(chunk);
    this.#isFollowed ||= chunk.subarray(takenBytes).some((byte) => !isSpace(byte));
    this.#name.carry(chunk);
    this.#value.carry(chunk);
  }

  /**
   * Call after the last byte: what is wrong with the document as JSON, or null. What follows it,
   * which Go passes over, would be work that is acknowledged and never done.
   */
  end(): string | null {
    return this.#scanner.end() ?? (this.#isFollowed ? "extra data behind the document" : null);
  }

  #begin(at: number, firstByte: number): void {
    this.#isInItems = this.#memberName === "items" && firstByte === openBracket;
    if (!this.#isInItems) {
      this.#value.begin(at, this.#options.memberBytesMax);
      return;
    }
    this.#listsOfItems += 1;
    this.#value.begin(at + 1, this.#options.itemBytesMax);
  }

  /** What was captured begins with the comma, and the white space, before the item. */
  #endItem(at: number): void {
    const { raw } = this.#value.finish(this.#chunk, at);
    this.#value.begin(at, this.#options.itemBytesMax);
    this.#options.onItem(raw === null ? null : raw.subarray(leadLength(raw)));
  }

  #end(at: number): void {
    const { raw } = this.#value.finish(this.#chunk, at);
    if (this.#isInItems) this.#isInItems = false;
    else this.#options.onMember(this.#memberName, raw);
  }
}

function leadLength(text: Buffer): number {
  let at = 0;
  while (isBetween(text[at] ?? 0)) at += 1;
  return at;
}

function isBetween(byte: number): boolean {
  return byte === 0x2c || isSpace(byte);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
