import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import type { PackedItems } from "../../store/batch-store.ts";
import { JsonBounds } from "../../wire/json-bounds.ts";
import { type Problem, problemsOf, pydanticWords } from "../../wire/problem.ts";
import { type BatchHead, type BatchItem, batchHead, batchItem } from "../../wire/runtime.ts";
import { ItemSplitter } from "../../wire/split-items.ts";
import { canonicalize } from "../canonical-json.ts";
import { ItemPacker } from "./item-packer.ts";

/** More than these are not told: whoever sent them has one cause to look for. */
const problemsMax = 100;

/** The head of a batch is a handful of words; a member larger than this is none of them. */
const memberBytesMax = 64 * 2 ** 10;

/** Each is compiled once at the submission, in up to half a second. */
const formatsMax = 64;

/** What a batch says beside its items. */
export type BatchSummary = {
  readonly head: BatchHead;
  readonly itemCount: number;
  /** Each different `response_format` with a schema, and the item that had it first. */
  readonly formats: readonly ItemFormat[];
  /** The canonical JSON of the whole, but for the items: what stands before and behind them. */
  readonly before: string;
  readonly after: string;
};

type ItemFormat = {
  readonly index: number;
  readonly responseFormat: BatchItem["response_format"];
};

export type BatchReading =
  | { readonly kind: "read"; readonly summary: BatchSummary }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

type ReaderOptions = {
  readonly itemsMax: number;
  readonly itemBytesMax: number;
  /** Called with the items as they come, in their order; not after the first problem. */
  readonly onItems: (items: PackedItems) => void;
};

/**
 * Reads a batch while it comes in: cuts it into items, checks each, and hands them on in packs. It
 * holds one pack and the ids, never the whole.
 */
export class BatchReader {
  readonly #options: ReaderOptions;
  readonly #splitter: ItemSplitter;
  readonly #packer: ItemPacker;
  readonly #members = new Map<string, unknown>();
  /** The number of the item that bears an id. */
  readonly #numbers = new Map<string, number>();
  readonly #formats = new Map<string, ItemFormat>();
  readonly #problems: Problem[] = [];
  #itemCount = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#packer = new ItemPacker(options.onItems);
    this.#splitter = new ItemSplitter({
      onMember: (name, value) => this.#takeMember(name, value),
      onItem: (text) => this.#takeItem(text),
      memberBytesMax,
      itemBytesMax: options.itemBytesMax,
    });
  }

  /** Whether so much is wrong that further bytes are not worth reading. */
  get isHopeless(): boolean {
    return this.#problems.length >= problemsMax || this.#itemCount > this.#options.itemsMax;
  }

  write(chunk: Uint8Array): void {
    if (!this.isHopeless) this.#splitter.write(chunk);
  }

  /** Call after the last byte, or when it is hopeless. */
  end(): BatchReading {
    const malformed = this.isHopeless ? null : this.#splitter.end();
    if (malformed !== null)
      this.#complain(["body"], "json_invalid", `JSON decode error: ${malformed}`);
    const head = malformed === null ? this.#readHead() : null;
    const frame = head === null ? null : this.#frame();
    if (head === null || frame === null || this.#problems.length > 0) {
      return { kind: "refused", problems: this.#problems.slice(0, problemsMax) };
    }
    this.#packer.flush();
    const formats = [...this.#formats.values()];
    return { kind: "read", summary: { head, itemCount: this.#itemCount, formats, ...frame } };
  }

  #takeMember(name: string, value: Buffer | null): void {
    const problem =
      value === null ? `is larger than ${memberBytesMax} bytes` : boundsProblem(value);
    if (value === null || problem !== null) {
      this.#complain(["body", name], "value_error", problem ?? "");
      return;
    }
    this.#members.set(name, JSON.parse(value.toString("utf8")));
  }

  #takeItem(text: Buffer | null): void {
    const index = this.#itemCount;
    this.#itemCount += 1;
    if (this.isHopeless) return;
    const loc = ["body", "items", index];
    if (text === null) {
      const message = `the item is larger than ${this.#options.itemBytesMax} bytes`;
      this.#complain(loc, "value_error", message);
      return;
    }
    const problem = boundsProblem(text);
    if (problem !== null) {
      this.#complain(loc, "value_error", problem);
      return;
    }
    const json: unknown = JSON.parse(text.toString("utf8"));
    const parsed = batchItem.safeParse(json, pydanticWords);
    if (!parsed.success) {
      this.#problems.push(...problemsOf(parsed.error, loc));
      return;
    }
    const { request_id: requestId } = parsed.data;
    const first = this.#numbers.get(requestId);
    if (first !== undefined) {
      const message = `request_id "${requestId}" was used by items[${first}] and items[${index}]`;
      this.#complain([...loc, "request_id"], "value_error", message);
      return;
    }
    this.#numbers.set(requestId, index);
    this.#takeFormat(index, parsed.data);
    const canonical = this.#canonical(json, loc);
    if (canonical === null || this.#problems.length > 0) return;
    const request = Buffer.from(canonical);
    const payloadHash = createHash("sha256").update(request).digest("hex");
    this.#packer.add({ requestId, payloadHash, request });
  }

  #takeFormat(index: number, { response_format: responseFormat }: BatchItem): void {
    if (typeof responseFormat !== "object" || responseFormat === null) return;
    const text = JSON.stringify(responseFormat);
    if (this.#formats.has(text)) return;
    if (this.#formats.size === formatsMax) {
      const message = `a batch has at most ${formatsMax} different schemas`;
      this.#complain(["body", "items", index, "response_format"], "value_error", message);
      return;
    }
    this.#formats.set(text, { index, responseFormat });
  }

  /** Null, and complained of: it has none. */
  #canonical(json: unknown, loc: Problem["loc"]): string | null {
    try {
      return canonicalize(json);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      this.#complain(loc, "value_error", `it has no canonical JSON: ${why}`);
      return null;
    }
  }

  #readHead(): BatchHead | null {
    const { itemsMax } = this.#options;
    const { isObject, listsOfItems } = this.#splitter;
    const loc = ["body", "items"];
    const hasOther = this.#members.has("items");
    if (this.#itemCount > itemsMax) {
      this.#complain(loc, "too_long", `a batch has at most ${itemsMax} items`);
    } else if (!isObject) {
      this.#complain(["body"], "model_attributes_type", "Input should be an object");
    } else if (listsOfItems > 1 || (listsOfItems === 1 && hasOther)) {
      this.#complain(loc, "value_error", "items is given more than once");
    } else if (listsOfItems === 0) {
      if (hasOther) this.#complain(loc, "list_type", "Input should be a valid list");
      else this.#complain(loc, "missing", "Field required");
    } else if (this.#itemCount === 0) {
      this.#complain(loc, "too_short", "a batch has at least 1 item");
    }
    const head = batchHead.safeParse(Object.fromEntries(this.#members), pydanticWords);
    if (!head.success) this.#problems.push(...problemsOf(head.error, ["body"]));
    return head.success ? head.data : null;
  }

  /**
   * Canonical JSON sorts members by their names' UTF-16 units, which is how strings compare. Null,
   * and complained of, if one of them has none: more members may come than those that are known.
   */
  #frame(): Pick<BatchSummary, "before" | "after"> | null {
    const members = [...this.#members].sort(([a], [b]) => (a < b ? -1 : 1));
    const texts = members.map(([name, value]) => {
      const parts = [name, value].map((part) => this.#canonical(part, ["body", name]));
      return parts.includes(null) ? null : { name, text: parts.join(":") };
    });
    const sound = texts.filter((each) => each !== null);
    if (sound.length < texts.length) return null;
    const before = sound.filter(({ name }) => name < "items").map(({ text }) => `${text},`);
    const after = sound.filter(({ name }) => name > "items").map(({ text }) => `,${text}`);
    return { before: `{${before.join("")}"items":[`, after: `]${after.join("")}}` };
  }

  #complain(loc: Problem["loc"], type: string, msg: string): void {
    this.#problems.push({ loc, type, msg });
  }
}

/** Why a text is not to be parsed; null if it may be. */
function boundsProblem(text: Buffer): string | null {
  if (!isUtf8(text)) return "it has bytes that are no UTF-8";
  const bounds = new JsonBounds();
  bounds.write(text);
  return bounds.problem;
}
