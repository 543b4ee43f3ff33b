import type { JobId } from "../job.ts";
import type { BatchStore } from "./batch-store.ts";
import type { Store } from "./store.ts";
import type { StoreUpkeep } from "./store-upkeep.ts";

/** Who is told of what reached the disk. */
export type StoreListener = {
  /** A job came to a state. */
  readonly onTransition: (id: JobId) => void;
  /** A transaction ended, which took so long. */
  readonly onCommit: (tookMs: number) => void;
};

/** A store in use: its jobs, its batches, and what its files need. */
export type WholeStore = Store & {
  readonly batches: BatchStore;
  readonly upkeep: StoreUpkeep;
  /** Tells one listener, in the place of the one before, from now on. */
  listen(listener: StoreListener): void;
};
