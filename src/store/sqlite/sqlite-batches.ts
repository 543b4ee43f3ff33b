import type { JobId } from "../../job.ts";
import type {
  BatchFacts,
  BatchHeading,
  BatchOpening,
  BatchPage,
  BatchSeq,
  BatchStore,
  ItemEnd,
  ItemKey,
  ItemPage,
  ItemsRead,
  OpenItem,
  PackedItems,
  StoredBatch,
  StoredItem,
  Verdict,
} from "../batch-store.ts";
import type { ThreadClient } from "./thread-client.ts";
import type { ReadVerb, WriteVerb } from "./verb.ts";

type Deps = {
  readonly writer: ThreadClient<WriteVerb>;
  readonly reader: ThreadClient<ReadVerb>;
};

/** The batches of the SQLite store, in its threads. */
export class SqliteBatches implements BatchStore {
  readonly #writer: ThreadClient<WriteVerb>;
  readonly #reader: ThreadClient<ReadVerb>;

  constructor({ reader, writer }: Deps) {
    this.#writer = writer;
    this.#reader = reader;
  }

  beginBatch({ client, createdAtMs, id }: BatchFacts): Promise<BatchSeq> {
    return this.#writer.ask({ kind: "beginBatch", facts: { id, client, createdAtMs } });
  }

  /** Takes the memory of `items` away from the caller. */
  appendItems(batch: BatchSeq, items: PackedItems): Promise<void> {
    const { buffer } = items.requests;
    const own = buffer instanceof ArrayBuffer ? buffer : undefined;
    return this.#writer.ask({ kind: "appendItems", batch, items }, own);
  }

  hashRequests(batch: BatchSeq, before: string, after: string): Promise<string> {
    return this.#reader.ask({ kind: "hashRequests", batch, before, after });
  }

  openBatch(batch: BatchSeq, heading: BatchHeading): Promise<BatchOpening> {
    return this.#writer.ask({ kind: "openBatch", batch, heading });
  }

  dropBatch(batch: BatchSeq, limit: number): Promise<number> {
    return this.#writer.ask({ kind: "dropBatch", batch, limit });
  }

  unopenedBatches(): Promise<readonly BatchSeq[]> {
    return this.#reader.ask({ kind: "unopenedBatches" });
  }

  batch(id: JobId): Promise<StoredBatch | null> {
    return this.#writer.ask({ kind: "batch", id });
  }

  openBatches(): Promise<readonly StoredBatch[]> {
    return this.#reader.ask({ kind: "openBatches" });
  }

  batchPage(page: BatchPage): Promise<readonly StoredBatch[]> {
    return this.#reader.ask({ kind: "batchPage", page });
  }

  batchesEndedBefore(endedBeforeMs: number, limit: number): Promise<readonly BatchSeq[]> {
    return this.#reader.ask({ kind: "batchesEndedBefore", endedBeforeMs, limit });
  }

  waitingItems(batch: BatchSeq, after: number, limit: number): Promise<readonly OpenItem[]> {
    return this.#writer.ask({ kind: "waitingItems", batch, after, limit });
  }

  itemsUnderWay(batch: BatchSeq): Promise<readonly OpenItem[]> {
    return this.#writer.ask({ kind: "itemsUnderWay", batch });
  }

  request(item: ItemKey): Promise<Uint8Array | null> {
    return this.#writer.ask({ kind: "request", item: keyOf(item) });
  }

  startItem(item: ItemKey, provider: string, atMs: number): Promise<"started" | "lost"> {
    return this.#writer.ask({ kind: "startItem", item: keyOf(item), provider, atMs });
  }

  restItem(item: ItemKey): Promise<"rests" | "lost"> {
    return this.#writer.ask({ kind: "restItem", item: keyOf(item) });
  }

  endItem(item: ItemKey, end: ItemEnd): Promise<"ended" | "lost"> {
    return this.#writer.ask({ kind: "endItem", item: keyOf(item), end });
  }

  recoverItems(): Promise<number> {
    return this.#writer.ask({ kind: "recoverItems" });
  }

  cancelItems(batch: BatchSeq, limit: number, atMs: number): Promise<number> {
    return this.#writer.ask({ kind: "cancelItems", batch, limit, atMs });
  }

  retryItems(batch: BatchSeq, after: number, limit: number): Promise<readonly number[]> {
    return this.#writer.ask({ kind: "retryItems", batch, after, limit });
  }

  itemPage(batch: BatchSeq, page: ItemPage): Promise<ItemsRead> {
    return this.#reader.ask({ kind: "itemPage", batch, page });
  }

  item(batch: BatchSeq, requestId: string): Promise<StoredItem | null> {
    return this.#reader.ask({ kind: "item", batch, requestId });
  }

  judge(batch: BatchSeq, requestId: string, verdict: Verdict): Promise<"judged" | "none"> {
    return this.#writer.ask({ kind: "judge", batch, requestId, verdict });
  }
}

/** The key alone: whatever else the caller's object carries need not be cloned. */
function keyOf({ batch, itemNo }: ItemKey): ItemKey {
  return { batch, itemNo };
}
