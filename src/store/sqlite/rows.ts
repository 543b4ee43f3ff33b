import type { EndReason, EndState, JobClass, JobId, JobState, Transition } from "../../job.ts";
import type { Delivery } from "../outbox.ts";
import type { Answer, Lane, PutBack, StoredJob } from "../store.ts";
import type { CancelledJob } from "../waiting-slice.ts";
import type { VerbAnswers } from "./verb.ts";

// The one place where the types of columns are asserted: the CHECK constraints of the schema, and
// that only our own verbs write, are the reason why they hold.

export type JobRow = {
  readonly seq: number;
  readonly id: string;
  readonly class: string;
  readonly client: string;
  readonly route: string;
  readonly model: string;
  readonly runner_key: string;
  readonly is_durable: number;
  readonly body_bytes: number;
  readonly body_hash: string;
  readonly enqueued_at_ms: number;
  readonly state: string;
  readonly last_attempt: number;
  readonly attempts: number;
  readonly preemptions: number;
  readonly not_before_ms: number | null;
  readonly put_back_why: string | null;
  readonly started_at_ms: number | null;
  readonly ended_at_ms: number | null;
  readonly end_reason: string | null;
  readonly end_message: string | null;
  readonly status_code: number | null;
  readonly prompt_tokens: number | null;
  readonly completion_tokens: number | null;
  readonly webhook_url: string | null;
  readonly deliveries_left: number;
};

export type AnswerRow = {
  readonly status_code: number;
  readonly content_type: string;
  readonly is_compressed: number;
  readonly body: Uint8Array;
};

export type TransitionRow = {
  readonly n: number;
  readonly state: string;
  readonly previous_state: string | null;
  readonly attempt: number;
  readonly why: string | null;
  readonly at_ms: number;
};

export type DeliveryRow = TransitionRow & {
  readonly seq: number;
  readonly job_id: string;
  readonly url: string;
  readonly tries: number;
};

export type LaneRow = {
  readonly class: string;
  readonly runner_key: string;
  readonly client: string;
  readonly depth: number;
};

export type CancelledRow = Omit<LaneRow, "depth"> & { readonly id: string };

/** A row of `job` as the store's callers know it. */
export function storedJob(row: JobRow): StoredJob {
  return {
    arrival: row.seq,
    id: row.id as JobId,
    class: row.class as JobClass,
    client: row.client,
    route: row.route,
    model: row.model,
    // The column is older than the word.
    loadKey: row.runner_key,
    isDurable: row.is_durable === 1,
    bodyBytes: row.body_bytes,
    bodyHash: row.body_hash,
    enqueuedAtMs: row.enqueued_at_ms,
    state: row.state as JobState,
    lastAttempt: row.last_attempt,
    attempts: row.attempts,
    preemptions: row.preemptions,
    notBeforeMs: row.not_before_ms,
    putBackWhy: row.put_back_why as PutBack["why"] | null,
    startedAtMs: row.started_at_ms,
    deliveriesLeft: row.webhook_url === null ? null : row.deliveries_left,
    ending: row.ended_at_ms === null ? null : ending(row, row.ended_at_ms),
  };
}

/** A row of `answer` as the store's callers know it. */
export function storedAnswer(row: AnswerRow): Answer {
  return {
    statusCode: row.status_code,
    contentType: row.content_type,
    body: row.body,
    isCompressed: row.is_compressed === 1,
  };
}

/** A row of `transition` as the store's callers know it. */
export function transitionOf(row: TransitionRow): Transition {
  return {
    n: row.n,
    state: row.state as JobState,
    previousState: row.previous_state as JobState | null,
    attempt: row.attempt,
    why: row.why as Transition["why"],
    atMs: row.at_ms,
  };
}

/** A row of `outbox` with what it tells. */
export function deliveryOf(row: DeliveryRow): Delivery {
  const { seq, tries, url } = row;
  return { seq, jobId: row.job_id as JobId, transition: transitionOf(row), url, tries };
}

/** What is told of a job that was cancelled with others. */
export function cancelledJob(row: CancelledRow): CancelledJob {
  const { client, id, runner_key: loadKey } = row;
  return { id: id as JobId, class: row.class as JobClass, loadKey, client };
}

/** A row of the lanes' count. */
export function laneDepth(row: LaneRow): Lane & { readonly depth: number } {
  return {
    class: row.class as JobClass,
    loadKey: row.runner_key,
    client: row.client,
    depth: row.depth,
  };
}

/** An answer as it came from a thread, which answers each verb by the table of `VerbAnswers`. */
export function answerOf<Kind extends keyof VerbAnswers>(answer: unknown): VerbAnswers[Kind] {
  return answer as VerbAnswers[Kind];
}

function ending(row: JobRow, endedAtMs: number): StoredJob["ending"] {
  return {
    state: row.state as EndState,
    reason: row.end_reason as EndReason | null,
    message: row.end_message,
    statusCode: row.status_code,
    promptTokens: row.prompt_tokens,
    completionTokens: row.completion_tokens,
    endedAtMs,
  };
}
