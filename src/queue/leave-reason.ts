import type { EndReason } from "../job.ts";

/**
 * Why a job is ended from outside: its client left, could not keep up or hold more, or somebody
 * cancelled it.
 */
export type LeaveReason = Extract<
  EndReason,
  "client_gone" | "client_too_slow" | "answer_too_large" | "cancelled_by_user"
>;

/** What a job that left before its turn says of its end. */
export const leaveMessages: Readonly<Record<LeaveReason, string>> = {
  client_gone: "its client closed the connection before its turn came",
  client_too_slow: "its client read too slowly and was cut off",
  answer_too_large: "its answer grew larger than FOREMAN_ANSWER_MAX",
  cancelled_by_user: "it was cancelled before its turn came",
};
