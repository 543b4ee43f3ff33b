import type { Ending, Job, JobClass, JobId, JobState } from "../job.ts";

/** A job as it is remembered: what joined the queue, and what became of it. */
export type StoredJob = Job & {
  /** Order of arrival over all jobs, never reused while a later job is there: lower is older. */
  readonly arrival: number;
  readonly state: JobState;
  /**
   * The number of the latest attempt, counted or not; 0 before the first. It only grows, so that
   * no two attempts share a number: the next claim takes a higher one.
   */
  readonly lastAttempt: number;
  /** Attempts that count: an attempt given back uncounted, or cut by a dead daemon, is refunded. */
  readonly attempts: number;
  /** Why it waits again, or waited again before its latest attempt; null if it never did. */
  readonly putBackWhy: PutBack["why"] | null;
  /** Wall clock at its latest claim; null before the first. */
  readonly startedAtMs: number | null;
  readonly ending: (Ending & { readonly endedAtMs: number }) | null;
};

/** How an attempt gave its place back: `counted` when the target had accepted the request. */
export type PutBack = {
  readonly counted: boolean;
  readonly why: "target_away" | "target_lost" | "shutdown" | "daemon_died" | "preempted";
};

/** What `recoverInterrupted` did with the jobs that a dead daemon left behind. */
export type Recovery = {
  /** Durable jobs that were running and wait again, at their old place. */
  readonly requeued: number;
  /** Jobs whose only durability was a socket that died with the daemon. */
  readonly cancelled: number;
  /** Durable jobs that ran at three deaths of the daemon: failed, as `poison_item`. */
  readonly poisoned: number;
};

/** Waiting jobs that are alike to the scheduler; inside a lane the oldest goes first. */
export type Lane = {
  readonly class: JobClass;
  readonly runnerKey: string;
  readonly client: string;
};

/**
 * What survives a restart. Each verb is one atomic, durable transaction and takes no callback;
 * a promise resolves after the commit has reached the disk. Verbs are applied in the order of
 * their calls, so a caller may send the next before the last has answered. A verb that fails
 * changes nothing and leaves the verbs around it alone.
 *
 * Rejects with ForemanError `storage_full` (nothing was changed; try again when there is space),
 * `storage_failed` (the store is unusable and `onFatal` was called, or it was closed) or
 * `internal` (the caller's mistake, such as an id that exists).
 *
 * The store bounds no number of calls: whoever admits work does.
 */
export interface Store {
  /**
   * Adds a waiting job; answers its arrival. `body` is for a durable job alone, which must run
   * without its client; the store forgets it when the job ends.
   */
  insertJob(job: Job, body: Uint8Array | null): Promise<number>;
  /**
   * queued → loading, as attempt number `attempt` (above `lastAttempt`, so from 1), which is
   * counted here, before anything is sent. `lost`: it no longer waits, or the number was used.
   */
  claim(id: JobId, attempt: number, atMs: number): Promise<"claimed" | "lost">;
  /** loading → working: the target's first byte came. `stale`: another attempt holds the job. */
  markWorking(id: JobId, attempt: number): Promise<"marked" | "stale">;
  /**
   * loading | working → an end; `done` from working alone. `stale`: it has ended already, another
   * attempt holds it, or it never worked and cannot be done.
   */
  settle(id: JobId, attempt: number, ending: Ending, atMs: number): Promise<"settled" | "stale">;
  /** loading | working → queued, at its old place; uncounted, the attempt is refunded. */
  putBack(id: JobId, attempt: number, putBack: PutBack): Promise<"queued" | "stale">;
  /** queued → failed | cancelled, without an attempt. `lost`: it no longer waits. */
  endWaiting(id: JobId, ending: Ending, atMs: number): Promise<"ended" | "lost">;
  /** At start: every job that runs by the rows, or waits on a socket, is a dead daemon's orphan. */
  recoverInterrupted(atMs: number): Promise<Recovery>;

  /** Sees every verb that was called before it. Null: no such job, or it was pruned. */
  job(id: JobId): Promise<StoredJob | null>;
  /** The bytes given to `insertJob`. Null: none were given, the job ended, or there is none. */
  body(id: JobId): Promise<Uint8Array | null>;
  /** Waiting jobs of a lane that arrived after `afterArrival` (0: from the head), oldest first. */
  waitingIn(lane: Lane, afterArrival: number, limit: number): Promise<readonly StoredJob[]>;
  /** Every lane with its depth; sees what was committed. Walks an index: for the start. */
  lanes(): Promise<readonly (Lane & { readonly depth: number })[]>;
  /** How many jobs are in each state, of what was committed. Walks an index, not the table. */
  countByState(): Promise<Readonly<Record<JobState, number>>>;
  /**
   * Deletes at most `limit` jobs that ended before `endedBeforeMs`, longest ended first; answers
   * how many. What they held is then wiped from the disk as well, unless a reader is in the way.
   */
  prune(endedBeforeMs: number, limit: number): Promise<number>;

  /** Keeps one small named document, such as the last inventory, in place of its last version. */
  remember(name: string, document: Uint8Array): Promise<void>;
  recall(name: string): Promise<Uint8Array | null>;

  /** Writes and commits one row, to prove that the store can: milliseconds until its answer. */
  heartbeat(): Promise<number>;
  /** Finishes what was called, checkpoints, and releases the lock. Idempotent. */
  close(): Promise<void>;
}
