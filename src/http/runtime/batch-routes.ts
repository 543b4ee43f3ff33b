import type { Call } from "../call.ts";
import { type BatchEventsDeps, tellBatchEvents } from "./batch-events.ts";
import {
  type BatchRouteDeps,
  cancelBatch,
  listBatches,
  retryBatch,
  showBatch,
  submitBatch,
} from "./batches.ts";
import { judgeResult, listResults, type ResultDeps, showResult } from "./results.ts";
import { llm, type Route } from "./route.ts";

export type BatchRoutesDeps = BatchRouteDeps & BatchEventsDeps & ResultDeps;

/** The routes of batches and their results. */
export function batchRoutes(deps: BatchRoutesDeps): readonly Route[] {
  const job = `${llm}/jobs/:job_id`;
  const result = `${job}/results/:request_id`;
  return [
    ["POST", `${llm}/batch`, (call) => submitBatch(call, deps)],
    ["GET", `${llm}/jobs`, (call) => listBatches(call, deps)],
    ["GET", job, (call) => showBatch(call, idIn(call), deps)],
    ["POST", `${job}/cancel`, (call) => cancelBatch(call, idIn(call), deps)],
    ["POST", `${job}/retry`, (call) => retryBatch(call, idIn(call), deps)],
    ["GET", `${job}/events`, (call) => tellBatchEvents(call, idIn(call), deps)],
    ["GET", `${job}/results`, (call) => listResults(call, idIn(call), deps)],
    ["GET", result, (call) => showResult(call, itemIn(call), deps)],
    ["POST", `${result}/approve`, (call) => judgeResult(call, "approved", itemIn(call), deps)],
    ["POST", `${result}/reject`, (call) => judgeResult(call, "rejected", itemIn(call), deps)],
  ];
}

/** Behind `/api/runtime/llm/jobs/`. */
function partsOf({ path }: Call): readonly string[] {
  return path.split("/").slice(5);
}

function idIn(call: Call): string {
  return partsOf(call)[0] ?? "";
}

function itemIn(call: Call) {
  const [id = "", , requestId = ""] = partsOf(call);
  return { id, requestId };
}
