import type { JobId } from "../../job.ts";
import type {
  BatchFacts,
  BatchHeading,
  BatchOpening,
  BatchPage,
  BatchSeq,
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

/** What the writing thread is asked for of batches. */
export type BatchWriteVerb =
  | { readonly kind: "beginBatch"; readonly facts: BatchFacts }
  | { readonly kind: "appendItems"; readonly batch: BatchSeq; readonly items: PackedItems }
  | { readonly kind: "openBatch"; readonly batch: BatchSeq; readonly heading: BatchHeading }
  | { readonly kind: "dropBatch"; readonly batch: BatchSeq; readonly limit: number }
  | {
      readonly kind: "startItem";
      readonly item: ItemKey;
      readonly provider: string;
      readonly atMs: number;
    }
  | { readonly kind: "restItem"; readonly item: ItemKey }
  | { readonly kind: "endItem"; readonly item: ItemKey; readonly end: ItemEnd }
  | { readonly kind: "recoverItems" }
  | {
      readonly kind: "cancelItems";
      readonly batch: BatchSeq;
      readonly limit: number;
      readonly atMs: number;
    }
  | {
      readonly kind: "retryItems";
      readonly batch: BatchSeq;
      readonly after: number;
      readonly limit: number;
    }
  | {
      readonly kind: "judge";
      readonly batch: BatchSeq;
      readonly requestId: string;
      readonly verdict: Verdict;
    }
  // Reads of a few rows, which must see what was written before them.
  | { readonly kind: "batch"; readonly id: JobId }
  | { readonly kind: "request"; readonly item: ItemKey }
  | {
      readonly kind: "waitingItems";
      readonly batch: BatchSeq;
      readonly after: number;
      readonly limit: number;
    }
  | { readonly kind: "itemsUnderWay"; readonly batch: BatchSeq };

/** What the reading thread is asked for of batches. */
export type BatchReadVerb =
  | {
      readonly kind: "hashRequests";
      readonly batch: BatchSeq;
      readonly before: string;
      readonly after: string;
    }
  | { readonly kind: "unopenedBatches" }
  | { readonly kind: "openBatches" }
  | { readonly kind: "batchPage"; readonly page: BatchPage }
  | {
      readonly kind: "batchesEndedBefore";
      readonly endedBeforeMs: number;
      readonly limit: number;
    }
  | { readonly kind: "itemPage"; readonly batch: BatchSeq; readonly page: ItemPage }
  | { readonly kind: "item"; readonly batch: BatchSeq; readonly requestId: string };

export type BatchVerbAnswers = {
  readonly beginBatch: BatchSeq;
  readonly appendItems: undefined;
  readonly openBatch: BatchOpening;
  readonly dropBatch: number;
  readonly startItem: "started" | "lost";
  readonly restItem: "rests" | "lost";
  readonly endItem: "ended" | "lost";
  readonly recoverItems: number;
  readonly cancelItems: number;
  readonly retryItems: readonly number[];
  readonly judge: "judged" | "none";
  readonly batch: StoredBatch | null;
  readonly request: Uint8Array | null;
  readonly waitingItems: readonly OpenItem[];
  readonly itemsUnderWay: readonly OpenItem[];
  readonly hashRequests: string;
  readonly unopenedBatches: readonly BatchSeq[];
  readonly openBatches: readonly StoredBatch[];
  readonly batchPage: readonly StoredBatch[];
  readonly batchesEndedBefore: readonly BatchSeq[];
  readonly itemPage: ItemsRead;
  readonly item: StoredItem | null;
};
