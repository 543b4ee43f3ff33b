import { monotonicFactory } from "ulid";

/** A ULID: unique, sortable by creation within one process, safe in a URL. */
export type JobId = string & { readonly _brand: "JobId" };

/** The states of docs/state-machine.md; a test holds the chart against this table. */
export const transitions = {
  queued: ["loading", "failed", "cancelled"],
  loading: ["working", "queued", "failed", "cancelled"],
  working: ["done", "queued", "failed", "cancelled"],
  done: [],
  failed: [],
  cancelled: [],
} as const satisfies Record<string, readonly string[]>;

export type JobState = keyof typeof transitions;

export type EndState = "done" | "failed" | "cancelled";

/** People (`interactive`) go before batches. */
export type JobClass = "interactive" | "batch";

/** Why a job ended otherwise than done; the closed list that rows, logs and pages show. */
export type EndReason =
  | "client_gone"
  | "shutdown"
  | "cancelled_by_user"
  | "queue_timeout"
  | "run_timeout"
  | "stalled"
  | "target_refused"
  | "target_failed"
  | "target_lost"
  | "incomplete_answer"
  | "client_too_slow"
  | "answer_too_large"
  | "poison_item";

/** Why a job that ran waits again. */
export type PutBackReason =
  | "target_away"
  | "target_lost"
  | "target_failed"
  | "shutdown"
  | "daemon_died"
  | "preempted";

/** What is known of a unit of work from the moment that it joins the queue. */
export type Job = {
  readonly id: JobId;
  readonly class: JobClass;
  /** Who asked: a token's name, a forwarded user id, or an address. */
  readonly client: string;
  /** The path and query that the target is called with, as received. */
  readonly route: string;
  /** The model's name as the client spelled it. */
  readonly model: string;
  /** What it asks of a runner: see target/load-key.ts. Which runner that is may change. */
  readonly loadKey: string;
  /**
   * Survives its client and a restart of the daemon; otherwise the open socket is its durability.
   */
  readonly isDurable: boolean;
  readonly bodyBytes: number;
  /** Hex sha256 of the body as received. */
  readonly bodyHash: string;
  /** Wall clock, for people: the order is kept by arrival, never by time. */
  readonly enqueuedAtMs: number;
};

/** How a job came to its end; recorded once, in the same transaction as the state. */
export type Ending = {
  readonly state: EndState;
  /** Null when done. */
  readonly reason: EndReason | null;
  /** What happened and what to do, for a person; null when done. */
  readonly message: string | null;
  /** The target's HTTP status, if it answered. */
  readonly statusCode: number | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
};

/** A durable job came to a state: one entry of its history. */
export type Transition = {
  /** Its number in the job's history, from 1: the job was queued. */
  readonly n: number;
  readonly state: JobState;
  /** Null for the first. */
  readonly previousState: JobState | null;
  /** The number of the attempt that was the latest by then; 0 before the first. */
  readonly attempt: number;
  /** Why it was put back, or ended otherwise than done; else null. */
  readonly why: PutBackReason | EndReason | null;
  /** Wall clock. */
  readonly atMs: number;
};

const nextUlid = monotonicFactory();

/** A fresh id; `wallMs` is the clock's reading, of which the id's first ten characters are made. */
export function newJobId(wallMs: number): JobId {
  return nextUlid(wallMs) as JobId;
}

/** An id as a client spelled it; null for what is none. */
export function jobIdOf(text: string): JobId | null {
  return /^[0-9A-HJKMNP-TV-Z]{26}$/.test(text) ? (text as JobId) : null;
}

/** Whether the chart has an arrow from `from` to `to`. */
export function mayBecome(from: JobState, to: JobState): boolean {
  return (transitions[from] as readonly JobState[]).includes(to);
}
