import type { Ending } from "../../../src/job.ts";
import type { Answer, Lane, PutBack } from "../../../src/store/store.ts";

// What the contract's tests tell the store.

export const done: Ending = {
  state: "done",
  reason: null,
  message: null,
  statusCode: 200,
  promptTokens: 11,
  completionTokens: 22,
};

export const failed: Ending = {
  state: "failed",
  reason: "target_failed",
  message: "the target said 500",
  statusCode: 500,
  promptTokens: null,
  completionTokens: null,
};

export const cancelled: Ending = {
  ...failed,
  state: "cancelled",
  reason: "client_gone",
  statusCode: null,
};

export const refunded: PutBack = { counted: false, why: "shutdown" };
export const counted: PutBack = { counted: true, why: "target_lost" };
export const failing: PutBack = { counted: true, why: "target_failed" };
export const preempted: PutBack = { counted: false, why: "preempted" };
export const answered: Answer = {
  statusCode: 200,
  contentType: "application/x-ndjson",
  body: Buffer.from('{"done":true}\n'),
  isCompressed: false,
};
export const lane: Lane = { class: "interactive", loadKey: "m|num_ctx=4096", client: "ann" };
