import type { JobClass } from "../job.ts";
import type { TargetState } from "../target/poller.ts";

/** What stands at the moment of a scrape. Durations in ms. */
export type Reading = {
  readonly version: string;
  readonly isDraining: boolean;
  /** What operators hold back: of a class and a model, of all where that is null. */
  readonly paused: readonly {
    readonly class: JobClass | null;
    readonly model: string | null;
    readonly ageMs: number;
  }[];
  readonly work: WorkReading;
  readonly target: {
    readonly presence: TargetState["presence"];
    readonly version: string | null;
    readonly modelCount: number;
    readonly loaded: readonly { readonly name: string; readonly size_vram: number }[];
  };
  readonly embeddings: { readonly running: number; readonly waiting: number };
  readonly store: {
    readonly problem: string | null;
    readonly freeBytes: number | null;
    readonly logBytes: number | null;
  };
  readonly batches: { readonly open: number; readonly underWay: number; readonly unfed: number };
  readonly providers: readonly { readonly id: string; readonly status: string }[];
  /** Null when the store could not be asked. */
  readonly webhooks: Backlog | null;
  /** Wall clock. */
  readonly atMs: number;
};

/** What is still to be told to webhooks. */
export type Backlog = {
  readonly left: number;
  /** When the oldest of it happened, on the wall clock; null if nothing is left. */
  readonly oldestAtMs: number | null;
  /** Receivers whose last try failed. */
  readonly failingCount: number;
};

/** What waits and runs, and what the runs have taught. Models as clients spell them. */
export type WorkReading = {
  readonly waiting: readonly {
    readonly class: JobClass;
    readonly model: string;
    readonly depth: number;
    readonly oldestWaitMs: number;
  }[];
  readonly running: readonly { readonly class: JobClass; readonly model: string }[];
  readonly slots: number;
  readonly isFull: boolean;
  /** How long something ran, in all. */
  readonly busyMs: number;
  readonly runCount: number;
  readonly loads: {
    readonly count: number;
    readonly totalMs: number;
    readonly untoldCount: number;
  };
  readonly loadMs: readonly { readonly model: string; readonly ms: number }[];
  /** What is wrong with the worker loop, or null. */
  readonly problem: string | null;
};
