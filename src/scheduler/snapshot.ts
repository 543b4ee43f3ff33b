import type { JobClass, JobId } from "../job.ts";

/** An operator's word that a lane shall wait, as it is told to whoever asks. */
export type LanePause = {
  readonly by: string;
  /** ISO 8601, by the wall clock. */
  readonly since: string;
  readonly note: string | null;
};

/** Jobs that are alike to the scheduler: one class, one runner, one client. Oldest first inside. */
export type LaneSnapshot = {
  readonly key: string;
  readonly class: JobClass;
  readonly runnerKey: string;
  readonly client: string;
  /** How many of its client's jobs may run at once; null: as many as there are slots. */
  readonly clientSlots: number | null;
  /** Waiting jobs, the head among them: at least 1. */
  readonly depth: number;
  readonly head: {
    readonly jobId: JobId;
    /** Order of arrival over all lanes: lower is older. */
    readonly arrival: number;
    readonly waitedMs: number;
  };
  /** Who paused it, and since when; null: it is not paused. */
  readonly pause: LanePause | null;
  /** What `Share` says that the client is owed against the others of its class on its runner. */
  readonly deficitMs: number;
};

/**
 * The runner that a class let through last, how often in a row, and the time since the first of
 * these starts. What the other class starts in between does not interrupt the row.
 */
export type Holder = {
  readonly runnerKey: string;
  readonly starts: number;
  readonly heldMs: number;
};

/** All that a decision depends on, as it stands at one instant. */
export type Snapshot = {
  readonly target: { readonly isReachable: boolean; readonly awayMs: number };
  /** Nothing is started while foreman drains. */
  readonly isDraining: boolean;
  readonly running: readonly { readonly runnerKey: string; readonly client: string }[];
  /**
   * Runners that the target holds loaded. A poll is late by its interval, so whoever takes the
   * snapshot adds the runner that answered last; without it each start would look like a swap.
   */
  readonly residents: ReadonlySet<string>;
  /** Whose turn it was last in each class; null before the class's first start. */
  readonly holders: Readonly<Record<JobClass, Holder | null>>;
  /**
   * Time since each class last let a runner through. It may be forgotten once the class has
   * nothing for it: an absent runner counts as rested for as long as its oldest head has waited.
   */
  readonly restedMs: Readonly<Record<JobClass, ReadonlyMap<string, number>>>;
  /** The class that was let through last; null at first. */
  readonly lastStarted: JobClass | null;
  /**
   * What interactive work has had since the last batch start, or since batch work began to wait.
   */
  readonly sinceBatchStart: { readonly interactiveStarts: number; readonly ms: number };
  /** Measured load time by runner key; a runner that never loaded is absent. */
  readonly swapMs: ReadonlyMap<string, number>;
  readonly lanes: readonly LaneSnapshot[];
};

export type ScheduleLimits = {
  /** At least 1. */
  readonly slots: number;
  /** One runner's turn while others wait, whichever ends first; both stretch to 10 swaps' time. */
  readonly swapQuantum: { readonly jobs: number; readonly ms: number };
  /** A head of another runner that waited this long takes the slot once the quantum is spent. */
  readonly patienceMs: Readonly<Record<JobClass, number>>;
  /**
   * Batch work starts at least once in so many interactive starts or milliseconds; 0 = never
   * forced.
   */
  readonly batchFloor: { readonly starts: number; readonly ms: number };
};
