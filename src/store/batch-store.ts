import type { JobId } from "../job.ts";

/** A batch's number in the store: the order in which batches came. */
export type BatchSeq = number & { readonly _brand: "BatchSeq" };

export type BatchStatus = "queued" | "running" | "completed" | "failed" | "cancelled";

/** The states of an item are those of a batch. */
export type ItemStatus = BatchStatus;

/** What a batch is, from its first byte on. */
export type BatchFacts = {
  readonly id: JobId;
  readonly client: string;
  readonly createdAtMs: number;
};

/** What is known of a batch when its last byte has come. */
export type BatchHeading = {
  /** As asked; null where it was left open. */
  readonly provider: string | null;
  readonly model: string | null;
  readonly jobType: string;
  readonly requiresApproval: boolean;
  /** Hex sha256 of the canonical JSON of the whole submission. */
  readonly payloadHash: string;
  readonly submittedCount: number;
  readonly idempotencyKey: string | null;
};

/** A batch as it stands; the five counts sum up to `submittedCount` at every moment. */
export type StoredBatch = BatchFacts &
  Omit<BatchHeading, "idempotencyKey"> & {
    readonly seq: BatchSeq;
    readonly status: BatchStatus;
    readonly queuedCount: number;
    readonly runningCount: number;
    readonly completedCount: number;
    readonly failedCount: number;
    readonly cancelledCount: number;
    /** When its first item began; null before. */
    readonly startedAtMs: number | null;
    /** When its last item ended; of a cancelled batch, that is later than the cancel. */
    readonly endedAtMs: number | null;
    /** Why no item succeeded, in the words of the last to fail; else null. */
    readonly failureReason: string | null;
  };

/** Items on their way in, packed so that a thread hands them on without touching each. */
export type PackedItems = {
  /** The number of the first, from 1; the others follow. */
  readonly firstNo: number;
  readonly requestIds: readonly string[];
  /** Hex sha256 of each request's canonical JSON. */
  readonly payloadHashes: readonly string[];
  /** The requests' canonical JSON, one behind the other. */
  readonly requests: Uint8Array;
  /** Where each of them ends in `requests`. */
  readonly ends: Uint32Array;
};

export type ItemKey = { readonly batch: BatchSeq; readonly itemNo: number };

/** An item that has not ended. */
export type OpenItem = ItemKey & {
  readonly requestId: string;
  /** The queue's job that is to bring its answer; null if there is none. */
  readonly queueJob: JobId | null;
  readonly repairs: number;
};

export type Approval = {
  readonly state: "pending" | "approved" | "rejected";
  readonly by: string | null;
  readonly atMs: number | null;
  readonly note: string | null;
};

/** What somebody says of a result that waits for approval. */
export type Verdict = {
  readonly state: "approved" | "rejected";
  readonly by: string;
  readonly atMs: number;
  readonly note: string | null;
};

type ItemResult = {
  readonly content: string;
  /** Whether `content` was checked to be JSON, as its item asked. */
  readonly isJson: boolean;
  readonly finishReason: string | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
};

type ItemError = { readonly code: string; readonly message: string };

/** An item as it is listed. */
export type StoredItem = {
  readonly itemNo: number;
  readonly requestId: string;
  readonly payloadHash: string;
  readonly status: ItemStatus;
  readonly provider: string | null;
  readonly model: string | null;
  readonly repairs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  /** Null unless it failed or was cancelled. */
  readonly error: ItemError | null;
  /** What it failed by before it was retried; null if it never was, or has such an end again. */
  readonly previousError: ItemError | null;
  /** Null unless it is completed. */
  readonly result: ItemResult | null;
  /** Null where nobody has to approve it. */
  readonly approval: Approval | null;
};

/** How an item ended. */
export type ItemEnd = {
  readonly provider: string | null;
  readonly model: string | null;
  readonly repairs: number;
  readonly atMs: number;
} & (
  | { readonly status: "completed"; readonly result: ItemResult }
  | {
      readonly status: "failed" | "cancelled";
      readonly error: ItemError;
    }
);

/** Which items to list, in the order of their submission. */
export type ItemPage = {
  /** Only items behind this number; 0 for all. */
  readonly after: number;
  readonly limit: number;
  readonly status?: ItemStatus | undefined;
  readonly approval?: Approval["state"] | undefined;
};

/** A part of a batch's items. */
export type ItemsRead = {
  readonly items: readonly StoredItem[];
  /** Whether there may be more behind them; a page of large results is shorter than its limit. */
  readonly hasMore: boolean;
};

/** Which batches to list, newest first. */
export type BatchPage = {
  readonly status?: BatchStatus | undefined;
  readonly client?: string | undefined;
  /** Only batches older than this; absent: all. */
  readonly after?: number | undefined;
  readonly limit: number;
};

/** What became of a batch whose last byte came. */
export type BatchOpening =
  | { readonly kind: "opened" }
  /** The client has used the key, for this batch; the one that was to be opened stays unseen. */
  | { readonly kind: "known"; readonly batch: StoredBatch };

/**
 * The batches and their items, kept as `Store` keeps jobs: each verb is one atomic, durable
 * transaction, applied in the order of the calls, and rejects as there.
 *
 * A batch comes in by `beginBatch`, `appendItems` and `openBatch`; nobody sees it before it is
 * opened, and a start drops what a dead daemon left unopened.
 */
export interface BatchStore {
  beginBatch(facts: BatchFacts): Promise<BatchSeq>;
  /** Rejects with `internal` when a request id is there already: who parses looks for that. */
  appendItems(batch: BatchSeq, items: PackedItems): Promise<void>;
  /** Hex sha256 over `before`, the requests of all its items joined by commas, and `after`. */
  hashRequests(batch: BatchSeq, before: string, after: string): Promise<string>;
  /** From now on the batch is seen, and its items wait: all of them at once. */
  openBatch(batch: BatchSeq, heading: BatchHeading): Promise<BatchOpening>;
  /** Deletes at most `limit` items of a batch, and with the last the batch; answers how many. */
  dropBatch(batch: BatchSeq, limit: number): Promise<number>;
  /** Batches that were never opened. */
  unopenedBatches(): Promise<readonly BatchSeq[]>;

  batch(id: JobId): Promise<StoredBatch | null>;
  /** Opened batches that have items which have not ended, oldest first. */
  openBatches(): Promise<readonly StoredBatch[]>;
  batchPage(page: BatchPage): Promise<readonly StoredBatch[]>;
  /** Batches that ended before, longest ended first. */
  batchesEndedBefore(endedBeforeMs: number, limit: number): Promise<readonly BatchSeq[]>;

  /** Items that wait behind number `after` and were given to nobody, in order. */
  waitingItems(batch: BatchSeq, after: number, limit: number): Promise<readonly OpenItem[]>;
  /** Items that are in the queue or run. */
  itemsUnderWay(batch: BatchSeq): Promise<readonly OpenItem[]>;
  /** The canonical JSON of what was asked; null once nobody needs it. */
  request(item: ItemKey): Promise<Uint8Array | null>;
  /** queued → running, for a provider that does not queue. `lost`: it waits no more. */
  startItem(item: ItemKey, provider: string, atMs: number): Promise<"started" | "lost">;
  /** running → queued: its provider is away, and will be asked again. */
  restItem(item: ItemKey): Promise<"rests" | "lost">;
  /** The end of an item that has none; what its queue's job kept for it goes. */
  endItem(item: ItemKey, end: ItemEnd): Promise<"ended" | "lost">;
  /** Running items that no job of the queue stands for wait again: who ran them is dead. */
  recoverItems(): Promise<number>;
  /**
   * Cancels the batch, at the first call, and at most `limit` of its items that were given to
   * nobody; answers how many. Items in the queue, or running, are for the caller to end.
   */
  cancelItems(batch: BatchSeq, limit: number, atMs: number): Promise<number>;

  /**
   * failed → queued, for at most `limit` items behind number `after`: as if they had never been
   * given to anybody, but for what they failed by, with the batch open again. Answers their
   * numbers; none of a batch that was cancelled.
   */
  retryItems(batch: BatchSeq, after: number, limit: number): Promise<readonly number[]>;

  itemPage(batch: BatchSeq, page: ItemPage): Promise<ItemsRead>;
  item(batch: BatchSeq, requestId: string): Promise<StoredItem | null>;
  /** A verdict is given once. `none`: the item has no result that waits for one. */
  judge(batch: BatchSeq, requestId: string, verdict: Verdict): Promise<"judged" | "none">;
}
