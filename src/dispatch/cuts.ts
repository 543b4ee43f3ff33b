import type { ErrorCode } from "../errors.ts";
import type { EndReason } from "../job.ts";

type Cut = {
  readonly state: "failed" | "cancelled";
  /** What its client is told; null when there is nobody to tell. */
  readonly code: ErrorCode | null;
  readonly message: string;
};

/** How each cut ends the job, and what its client is told. */
export const cuts = {
  client_gone: { state: "cancelled", code: null, message: "its client closed the connection" },
  client_too_slow: {
    state: "cancelled",
    code: null,
    message: "its client read too slowly and was cut off",
  },
  answer_too_large: {
    state: "failed",
    code: null,
    message: "its answer grew larger than FOREMAN_ANSWER_MAX and was cut off",
  },
  cancelled_by_user: { state: "cancelled", code: "cancelled", message: "the job was cancelled" },
  preempted: { state: "cancelled", code: "cancelled", message: "it made way for a person" },
  shutdown: { state: "cancelled", code: "draining", message: "foreman is shutting down" },
  stalled: {
    state: "failed",
    code: "target_timeout",
    message: "the model was silent for FOREMAN_STALL_TIMEOUT and was cut off; see Ollama's log",
  },
  run_timeout: {
    state: "failed",
    code: "target_timeout",
    message: "the generation ran longer than FOREMAN_RUN_TIMEOUT and was cut off",
  },
} as const satisfies { readonly [Reason in EndReason | "preempted"]?: Cut };

/** Why foreman itself ends a run. */
export type CutReason = keyof typeof cuts;
