import { codedError } from "../../wire/error-answers.ts";
import { approvalRequest, batchRequest } from "../../wire/runtime.ts";
import {
  batchEvent,
  batchList,
  batchRetried,
  batchView,
  resultsPage,
  resultView,
} from "../../wire/runtime-answers.ts";
import { batchListQuery, resultsQuery } from "../../wire/runtime-queries.ts";
import type { Operation } from "./operation.ts";

const base = "/api/runtime/llm";
const batch = { description: "The batch as it is now", schema: batchView };
const result = { description: "The item as it is now", schema: resultView };

/** The batches of the runtime-LLM API. */
export const batchOperations: readonly Operation[] = [
  {
    method: "post",
    path: `${base}/batch`,
    summary: "Submit a batch; with an Idempotency-Key, once",
    body: batchRequest,
    answers: { 202: { description: "All of it is on the disk", schema: batchView } },
  },
  {
    method: "get",
    path: `${base}/jobs`,
    summary: "List batches, newest first",
    query: batchListQuery,
    answers: { 200: { description: "A page", schema: batchList } },
  },
  {
    method: "get",
    path: `${base}/jobs/{job_id}`,
    summary: "Look at a batch",
    answers: { 200: batch },
  },
  {
    method: "post",
    path: `${base}/jobs/{job_id}/cancel`,
    summary: "Cancel what of a batch has not ended",
    answers: { 200: batch },
  },
  {
    method: "post",
    path: `${base}/jobs/{job_id}/retry`,
    summary: "Have the items that failed wait again",
    answers: {
      200: { description: "The batch, and how many items of it", schema: batchRetried },
      409: { description: "It was cancelled", schema: codedError },
    },
  },
  {
    method: "get",
    path: `${base}/jobs/{job_id}/results`,
    summary: "Read the results, also while the batch runs; JSONL by Accept: application/x-ndjson",
    query: resultsQuery,
    answers: { 200: { description: "A page", schema: resultsPage } },
  },
  {
    method: "get",
    path: `${base}/jobs/{job_id}/results/{request_id}`,
    summary: "Read one result",
    answers: { 200: result },
  },
  ...(["approve", "reject"] as const).map(
    (verdict): Operation => ({
      method: "post",
      path: `${base}/jobs/{job_id}/results/{request_id}/${verdict}`,
      summary: `Say of a result that waits for approval: ${verdict}`,
      body: approvalRequest,
      isBodyOptional: true,
      answers: { 200: result },
    }),
  ),
  {
    method: "get",
    path: `${base}/jobs/{job_id}/events`,
    summary: "Follow a batch by server-sent events",
    answers: {
      200: {
        description: "The data of each event",
        mediaType: "text/event-stream",
        schema: batchEvent,
      },
      204: { description: "The client has the last event: nothing will come" },
    },
  },
];
