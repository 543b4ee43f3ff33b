import type { JobId, Transition } from "../job.ts";

/** A state of a job that is still to be told to whoever asked. */
export type Delivery = {
  /** Its handle in the outbox. */
  readonly seq: number;
  readonly jobId: JobId;
  readonly transition: Transition;
  /** Where to; as it was given when the job joined. */
  readonly url: string;
  /** Tries that failed. */
  readonly tries: number;
};

export type DueDeliveries = {
  /** Those of one origin together, the longest due first. */
  readonly deliveries: readonly Delivery[];
  /** Wall clock at which the next of the others falls due; null: there is none. */
  readonly nextAtMs: number | null;
};

/** So many origins are looked at in one reading; more than that are no installation's receivers. */
export const originsMax = 1_000;

/**
 * The longest wait that may be noted, in ms. What is further off than this was noted before the
 * wall clock was set back, and counts as due.
 */
export const tryAgainMsMax = 30 * 3_600_000;

/**
 * What is still to be told, written in the transaction of the change that it tells. Of a job only
 * the earliest delivery is ever due: its later states wait until it was received or given up.
 *
 * Each verb is a transaction and rejects as those of `Store` do. A delivery that is no longer there
 * is left alone.
 */
export interface Outbox {
  /**
   * What is due by `nowMs`, of what was committed: of each origin (scheme, host and port of the
   * URL) at most `perOrigin`, so that one that takes nothing hides none.
   */
  due(nowMs: number, perOrigin: number): Promise<DueDeliveries>;
  /** It was received. */
  noteDelivered(seq: number): Promise<void>;
  /** A try failed; the next comes at `nextAtMs`, wall clock. */
  noteFailed(seq: number, nextAtMs: number): Promise<void>;
  /**
   * Gives a delivery up. The job's next one, if it is waiting by now, takes over its count of
   * tries: it was kept waiting by them.
   */
  giveUp(seq: number): Promise<void>;
  /** The receiver wants to hear nothing more of this job: no state of it is told from now on. */
  endWebhook(seq: number): Promise<void>;
  /** How many deliveries are left, of what was committed, and when the oldest happened. */
  depth(): Promise<{ readonly left: number; readonly oldestAtMs: number | null }>;
}
