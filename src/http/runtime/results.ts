import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Clock } from "../../clock.ts";
import { ForemanError } from "../../errors.ts";
import type { ItemPage, ItemsRead, StoredBatch } from "../../store/batch-store.ts";
import { approvalRequest } from "../../wire/runtime.ts";
import { runtimeLimits } from "../../wire/runtime-limits.ts";
import { resultsQuery } from "../../wire/runtime-queries.ts";
import { type Call, tell } from "../call.ts";
import { stuckMsMax } from "../relay.ts";
import { resultView } from "./batch-views.ts";
import { type BatchRouteDeps, batchOf } from "./batches.ts";
import { readJson } from "./read-json.ts";
import { readQuery } from "./read-query.ts";

export type ResultDeps = Pick<BatchRouteDeps, "batches"> & { readonly clock: Clock };

/** Whose result is meant. */
type ItemPath = { readonly id: string; readonly requestId: string };

/**
 * `GET /api/runtime/llm/jobs/{job_id}/results`: a page in the order of the submission, while the
 * batch runs too; all of it, a line each, for whoever accepts `application/x-ndjson`.
 */
export async function listResults(call: Call, id: string, deps: ResultDeps): Promise<void> {
  const page = readQuery(call, resultsQuery);
  const batch = await batchOf(call, id, deps);
  const isLines = call.incoming.headers.accept?.includes("application/x-ndjson") ?? false;
  if (isLines) {
    await sendLines(call, batch, page, deps);
    return;
  }
  const { hasMore, items } = await deps.batches.itemPage(batch.seq, page);
  const next = hasMore ? (items.at(-1)?.itemNo ?? null) : null;
  const results = items.map(resultView);
  tell(call, 200, { job_id: batch.id, status: batch.status, results, next });
}

/** `GET …/results/{request_id}`. */
export async function showResult(
  call: Call,
  { id, requestId }: ItemPath,
  deps: ResultDeps,
): Promise<void> {
  const batch = await batchOf(call, id, deps);
  const item = await deps.batches.item(batch.seq, requestId);
  if (item === null) throw noItem(batch, requestId);
  tell(call, 200, resultView(item));
}

/** `POST …/results/{request_id}/approve` and `/reject`; a verdict is given once. */
export async function judgeResult(
  call: Call,
  state: "approved" | "rejected",
  { id, requestId }: ItemPath,
  deps: ResultDeps,
): Promise<void> {
  const { batches, clock } = deps;
  // An empty body will do.
  const verdict = await readJson(call, approvalRequest.optional());
  const { by, note } = verdict ?? {};
  const batch = await batchOf(call, id, deps);
  const judged = await batches.judge(batch.seq, requestId, {
    state,
    by: judgeOf(call, by ?? null),
    atMs: clock.wallMs(),
    note: note ?? null,
  });
  const item = await batches.item(batch.seq, requestId);
  if (item === null) throw noItem(batch, requestId);
  if (judged === "none") {
    const has = item.approval === null ? "needs no approval" : `is ${item.approval.state}`;
    throw new ForemanError("not_pending", `the result of "${requestId}" ${has}`);
  }
  tell(call, 200, resultView(item));
}

async function sendLines(
  { extraHeaders, outgoing }: Call,
  batch: StoredBatch,
  first: ItemPage,
  { batches }: ResultDeps,
): Promise<void> {
  outgoing.writeHead(200, ["Content-Type", "application/x-ndjson", ...extraHeaders]);
  for await (const items of pagesFrom(first, (page) => batches.itemPage(batch.seq, page))) {
    if (outgoing.destroyed) return;
    const lines = items.map((item) => `${JSON.stringify(resultView(item))}\n`).join("");
    if (!outgoing.write(lines)) await drained(outgoing);
  }
  outgoing.setTimeout(stuckMsMax);
  outgoing.end();
}

/** Each a reading of its own: one held open would keep the store's log from being emptied. */
async function* pagesFrom(first: ItemPage, read: (page: ItemPage) => Promise<ItemsRead>) {
  let page = { ...first, limit: runtimeLimits.pageItems };
  for (;;) {
    const { hasMore, items } = await read(page);
    yield items;
    if (!hasMore) return;
    page = { ...page, after: items.at(-1)?.itemNo ?? page.after };
  }
}

/** Resolves when the client has taken what was written, has gone, or is cut: it takes nothing. */
async function drained(outgoing: ServerResponse): Promise<void> {
  const over = new AbortController();
  outgoing.setTimeout(stuckMsMax);
  const { signal } = over;
  const either = ["drain", "close"].map((event) => once(outgoing, event, { signal }));
  // Of the one that comes second nobody is told any more.
  await Promise.race(either).finally(() => over.abort());
  await Promise.allSettled(either);
  outgoing.setTimeout(0);
}

function noItem(batch: StoredBatch, requestId: string): ForemanError {
  return new ForemanError("not_found", `batch job ${batch.id} has no item "${requestId}"`);
}

/** Who judged: a user may speak for people of its own, and not as anybody else. */
function judgeOf({ client, isAdmin }: Call, by: string | null): string {
  if (by === null) return client;
  return isAdmin ? by : `${client}: ${by}`;
}
