import type { PackedItems } from "../../store/batch-store.ts";

/** A pack of either size is some milliseconds of writing: no commit waits long behind one. */
const packItemsMax = 500;
const packBytesMax = 2 ** 20;

type Item = {
  readonly requestId: string;
  readonly payloadHash: string;
  readonly request: Buffer;
};

/** Gathers items into packs, which travel between threads as a whole. */
export class ItemPacker {
  readonly #onPack: (items: PackedItems) => void;
  #items: Item[] = [];
  #bytes = 0;
  #firstNo = 1;

  constructor(onPack: (items: PackedItems) => void) {
    this.#onPack = onPack;
  }

  add(item: Item): void {
    this.#items.push(item);
    this.#bytes += item.request.length;
    if (this.#items.length >= packItemsMax || this.#bytes >= packBytesMax) this.flush();
  }

  /** Hands on what is left. */
  flush(): void {
    const items = this.#items;
    if (items.length === 0) return;
    // Memory of its own, so that it can be given away.
    const requests = new Uint8Array(this.#bytes);
    const ends = new Uint32Array(items.length);
    let end = 0;
    for (const [index, { request }] of items.entries()) {
      requests.set(request, end);
      end += request.length;
      ends[index] = end;
    }
    const firstNo = this.#firstNo;
    this.#firstNo += items.length;
    this.#items = [];
    this.#bytes = 0;
    this.#onPack({
      ...{ firstNo, requests, ends },
      requestIds: items.map(({ requestId }) => requestId),
      payloadHashes: items.map(({ payloadHash }) => payloadHash),
    });
  }
}
