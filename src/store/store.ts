import type { Ending, Job, JobClass, JobId, JobState, PutBackReason, Transition } from "../job.ts";
import type { ItemKey } from "./batch-store.ts";
import type { Outbox } from "./outbox.ts";
import type { CancelledSlice, WaitingSlice } from "./waiting-slice.ts";

/** A job as it is remembered: what joined the queue, and what became of it. */
export type StoredJob = Job & {
  /** Order of arrival over all jobs, never used again: lower is older. */
  readonly arrival: number;
  readonly state: JobState;
  /**
   * The number of the latest attempt, counted or not; 0 before the first. It only grows, so that
   * no two attempts share a number: the next claim takes a higher one.
   */
  readonly lastAttempt: number;
  /** Attempts that count: an attempt given back uncounted, or cut by a dead daemon, is refunded. */
  readonly attempts: number;
  /** How often it gave its place to a person while it ran; such attempts are refunded. */
  readonly preemptions: number;
  /** Wall clock before which it shall not be claimed; null: at once, or it waits no more. */
  readonly notBeforeMs: number | null;
  /** Why it waits again, or waited again before its latest attempt; null if it never did. */
  readonly putBackWhy: PutBack["why"] | null;
  /** Wall clock at its latest claim; null before the first. */
  readonly startedAtMs: number | null;
  /** States that its webhook is still to be told; null: it has none. */
  readonly deliveriesLeft: number | null;
  readonly ending: (Ending & { readonly endedAtMs: number }) | null;
};

/**
 * How an attempt gave its place back: `counted` when the target had accepted the request, and never
 * for a preemption, which is not the job's doing. `target_failed`: it answered 5xx or 429.
 */
export type PutBack =
  | { readonly counted: boolean; readonly why: Exclude<PutBackReason, "preempted"> }
  | { readonly counted: false; readonly why: "preempted" };

/** What a job may be given when it joins. */
export type InsertOptions = {
  readonly idempotencyKey?: string | null | undefined;
  /** An http or https URL as the WHATWG parser writes it. */
  readonly webhookUrl?: string | null | undefined;
  readonly forItem?: ItemLink | undefined;
};

/** What became of a job that was to be inserted. */
export type Insertion =
  | { readonly kind: "inserted"; readonly arrival: number }
  /** Nothing was changed: the client has used the key, for the job told here as it stands now. */
  | { readonly kind: "known"; readonly job: StoredJob }
  /** Nothing was changed: the item that it was for has ended, or another job stands for it. */
  | { readonly kind: "unwanted" };

/** For which item of a batch a job is, and which job it replaces. */
export type ItemLink = ItemKey & { readonly replaces: JobId | null };

/** What the target sent, as it is kept for whoever asks later. */
export type Answer = {
  readonly statusCode: number;
  /** As the target sent it; empty if it sent none. */
  readonly contentType: string;
  readonly body: Uint8Array;
  /** Whether `body` was compressed by whoever settled: the store looks at none of its bytes. */
  readonly isCompressed: boolean;
};

/** Which jobs to list: those that fit every filter given. */
export type Page = {
  readonly state?: JobState | undefined;
  /** As the client spelled it. */
  readonly model?: string | undefined;
  readonly client?: string | undefined;
  /** Only what arrived before this, which is the last arrival of the page before; absent: all. */
  readonly after?: number | undefined;
  readonly limit: number;
};

/** What `recoverInterrupted` did with the jobs that a dead daemon left behind. */
export type Recovery = {
  /** Durable jobs that were running and wait again, at their old place. */
  readonly requeued: number;
  /** The classes of jobs whose only durability was a socket that died with the daemon. */
  readonly cancelled: readonly JobClass[];
  /** Those of durable jobs that ran at three deaths of the daemon: failed, as `poison_item`. */
  readonly poisoned: readonly JobClass[];
};

/** What a heartbeat found out. */
export type Heartbeat = {
  /** Milliseconds until its commit was answered. */
  readonly commitMs: number;
  /** What is left on the database's disk; null if nobody knows. */
  readonly freeBytes: number | null;
  /** Why no durable job is taken although the store can write; null if they are. */
  readonly problem: string | null;
};

/** Waiting jobs that are alike to the scheduler; inside a lane the oldest goes first. */
export type Lane = {
  readonly class: JobClass;
  readonly loadKey: string;
  readonly client: string;
};

/** Entries of a job's history in one reading. */
export const transitionsMax = 1_000;

/**
 * What survives a restart. Each verb is one atomic, durable transaction and takes no callback;
 * a promise resolves after the commit has reached the disk. Verbs are applied in the order of
 * their calls, so a caller may send the next before the last has answered. A verb that fails
 * changes nothing and leaves the verbs around it alone.
 *
 * Rejects with ForemanError `storage_full` (nothing was changed; try again when there is space),
 * `storage_lost` (a durable job would not be found at the next start: see `heartbeat`),
 * `storage_failed` (the store is unusable and `onFatal` was called, or it was closed) or
 * `internal` (the caller's mistake, such as an id that exists).
 *
 * The store bounds no number of calls: whoever admits work does.
 */
export interface Store {
  /**
   * Adds a waiting job. `body` is for a durable job alone, which must run without its client; the
   * store forgets it when the job ends. So is `idempotencyKey`: among the jobs that are remembered,
   * ended ones too, a client's key has one job, and whoever gives it again is answered that job.
   * Whether the two are alike (`bodyHash`, `route`) is for the caller to compare. `webhookUrl` is
   * where each state of a durable job is to be told, from the first on: see `outbox`. `forItem`:
   * from now on the job stands for that item of a batch, and the item's state follows it.
   */
  insertJob(job: Job, body: Uint8Array | null, options?: InsertOptions): Promise<Insertion>;
  /**
   * queued → loading, as attempt number `attempt` (above `lastAttempt`, so from 1), which is
   * counted here, before anything is sent. Looks at no clock, and clears `notBeforeMs`. `lost`: it
   * no longer waits, or the number was used. Alone among the verbs it may resolve when no death of
   * the process can undo it any more, and the disk has it a moment later: a power cut in that
   * moment leaves the job waiting, with a start that is not counted (docs/adr/0013).
   */
  claim(id: JobId, attempt: number, atMs: number): Promise<"claimed" | "lost">;
  /** loading → working: the target's first byte came. `stale`: another attempt holds the job. */
  markWorking(id: JobId, attempt: number, atMs: number): Promise<"marked" | "stale">;
  /**
   * loading | working → an end; `done` from working alone. `stale`: it has ended already, another
   * attempt holds it, or it never worked and cannot be done. `answer` is kept with a job
   * that is settled, until it is pruned.
   */
  settle(
    id: JobId,
    attempt: number,
    ending: Ending,
    atMs: number,
    answer?: Answer | null,
  ): Promise<"settled" | "stale">;
  /**
   * loading | working → queued, at its old place; uncounted, the attempt is refunded. Null as
   * `notBeforeMs`, or none: it may be claimed at once.
   */
  putBack(
    id: JobId,
    attempt: number,
    putBack: PutBack,
    atMs: number,
    notBeforeMs?: number | null,
  ): Promise<"queued" | "stale">;
  /** queued → failed | cancelled, without an attempt. `lost`: it no longer waits. */
  endWaiting(id: JobId, ending: Ending, atMs: number): Promise<"ended" | "lost">;
  /**
   * queued → cancelled for all of a slice that fit. A job that was claimed before is left alone, as
   * is every job on a socket.
   */
  cancelWaiting(slice: WaitingSlice, ending: Ending, atMs: number): Promise<CancelledSlice>;
  /** At start: every job that runs by the rows, or waits on a socket, is a dead daemon's orphan. */
  recoverInterrupted(atMs: number): Promise<Recovery>;

  /** Sees every verb that was called before it. Null: no such job, or it was pruned. */
  job(id: JobId): Promise<StoredJob | null>;
  /** The bytes given to `insertJob`. Null: none were given, the job ended, or there is none. */
  body(id: JobId): Promise<Uint8Array | null>;
  /**
   * What `settle` was given, of what was committed: whoever saw the job ended finds it. Null: it
   * was given none, the job has not ended, or there is none.
   */
  answer(id: JobId): Promise<Answer | null>;
  /**
   * A durable job's history after its entry `after` (0: from the first), oldest first, of what was
   * committed; at most `transitionsMax` at once. Empty for a job on a socket, or none.
   */
  transitions(id: JobId, after: number): Promise<readonly Transition[]>;
  /**
   * Waiting durable jobs of a lane that arrived after `afterArrival` (0: from the head), oldest
   * first; also those whose `notBeforeMs` has not come.
   */
  waitingIn(lane: Lane, afterArrival: number, limit: number): Promise<readonly StoredJob[]>;
  /**
   * How many durable jobs wait in a lane that arrived up to `arrival`, of what was committed: the
   * place of the job that arrived then. Walks that part of an index: 0.1 s for 1,000,000.
   */
  position(job: Lane & { readonly arrival: number }): Promise<number>;
  /** The latest arrival that was given to a job, pruned ones too; 0: none was. */
  newestArrival(): Promise<number>;
  /**
   * Every lane of waiting durable jobs with its depth. Jobs on a socket are nobody's to find again,
   * so not here. Walks an index, 0.14 s for 1,000,000 jobs, in the way of commits: for the start.
   */
  lanes(): Promise<readonly (Lane & { readonly depth: number })[]>;
  /**
   * Jobs of all kinds for a list, newest first, of what was committed. One filter alone is one
   * index seek; of several one is, and the rest are looked up job by job until the page is full.
   */
  page(page: Page): Promise<readonly StoredJob[]>;
  /** How many jobs are in each state, of what was committed. Walks an index, not the table. */
  countByState(): Promise<Readonly<Record<JobState, number>>>;
  /**
   * Deletes at most `limit` jobs that ended before `endedBeforeMs`, longest ended first, with all
   * that hangs on them, but for those whose webhook is still to be told; answers how many.
   */
  prune(endedBeforeMs: number, limit: number): Promise<number>;

  /** What is still to be told to webhooks. */
  readonly outbox: Outbox;

  /** Keeps one small named document, such as the last inventory, in place of its last version. */
  remember(name: string, document: Uint8Array): Promise<void>;
  recall(name: string): Promise<Uint8Array | null>;

  /** Writes and commits one row, to prove that the store can, and looks at what it stands on. */
  heartbeat(): Promise<Heartbeat>;
  /** Finishes what was called, checkpoints, and releases the lock. Idempotent. */
  close(): Promise<void>;
}
