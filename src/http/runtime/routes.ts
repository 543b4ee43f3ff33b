import type { Clock } from "../../clock.ts";
import type { Call } from "../call.ts";
import { type BatchEventsDeps, tellBatchEvents } from "./batch-events.ts";
import {
  type BatchRouteDeps,
  cancelBatch,
  listBatches,
  showBatch,
  submitBatch,
} from "./batches.ts";
import { answerChat, type ChatDeps } from "./chat.ts";
import {
  listChanges,
  listProviders,
  type ProvidersDeps,
  patchProvider,
  setOrder,
  showOrder,
} from "./providers.ts";
import { judgeResult, listResults, showResult } from "./results.ts";

export type RuntimeRouteDeps = ProvidersDeps &
  BatchRouteDeps &
  BatchEventsDeps &
  ChatDeps & { readonly clock: Clock };

type Handler = (call: Call) => Promise<void> | void;

const llm = "/api/runtime/llm";

/** The routes of the runtime-LLM API. */
export function addRuntimeRoutes(
  on: (method: string, path: string, handler: Handler) => void,
  deps: RuntimeRouteDeps,
): void {
  on("POST", `${llm}/chat`, (call) => answerChat(call, deps));
  on("GET", `${llm}/providers`, (call) => listProviders(call, deps));
  on("GET", `${llm}/providers/order`, (call) => showOrder(call, deps));
  on("PUT", `${llm}/providers/order`, (call) => setOrder(call, deps));
  on("GET", `${llm}/providers/changes`, (call) => listChanges(call, deps));
  on("PATCH", `${llm}/providers/:id`, (call) => patchProvider(call, partOf(call, 0), deps));

  on("POST", `${llm}/batch`, (call) => submitBatch(call, deps));
  on("GET", `${llm}/jobs`, (call) => listBatches(call, deps));
  const job = `${llm}/jobs/:id`;
  on("GET", job, (call) => showBatch(call, partOf(call, 0), deps));
  on("POST", `${job}/cancel`, (call) => cancelBatch(call, partOf(call, 0), deps));
  on("GET", `${job}/events`, (call) => tellBatchEvents(call, partOf(call, 0), deps));
  on("GET", `${job}/results`, (call) => listResults(call, partOf(call, 0), deps));
  const result = `${job}/results/:request`;
  const itemOf = (call: Call) => [partOf(call, 0), partOf(call, 2)] as const;
  on("GET", result, (call) => showResult(call, itemOf(call), deps));
  for (const verb of ["approve", "reject"] as const) {
    on("POST", `${result}/${verb}`, (call) => judgeResult(call, [...itemOf(call), verb], deps));
  }
}

/** A part of the path behind `/api/runtime/llm/jobs/` or `/providers/`. */
function partOf({ path }: Call, index: number): string {
  return path.split("/")[5 + index] ?? "";
}
