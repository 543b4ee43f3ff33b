import { ForemanError } from "../../errors.ts";
import { jobIdOf } from "../../job.ts";
import { closedError } from "../../queue/admit.ts";
import type { Queue } from "../../queue/queue.ts";
import type { BatchIntake } from "../../runtime/batches/batch-intake.ts";
import type { BatchRunner } from "../../runtime/batches/batch-runner.ts";
import type { BatchStore, StoredBatch } from "../../store/batch-store.ts";
import { runtimeLimits } from "../../wire/runtime-limits.ts";
import { batchListQuery } from "../../wire/runtime-queries.ts";
import { type Call, isOwn, tell } from "../call.ts";
import { idempotencyKeyOf } from "../durable-request.ts";
import { bodyIdleMsMax } from "../gather.ts";
import { batchView } from "./batch-views.ts";
import { readQuery } from "./read-query.ts";

export type BatchRouteDeps = {
  readonly batches: BatchStore;
  readonly intake: BatchIntake;
  readonly runner: BatchRunner;
  readonly queue: Pick<Queue, "closing">;
};

/** `POST /api/runtime/llm/batch`: answered when the batch is on the disk. */
export async function submitBatch(call: Call, deps: BatchRouteDeps): Promise<void> {
  const { intake, queue, runner } = deps;
  if (queue.closing !== null) {
    call.outgoing.shouldKeepAlive = call.incoming.complete;
    throw closedError(queue.closing);
  }
  const taken = await intake.submit({
    client: call.client,
    body: boundedBody(call),
    idempotencyKey: idempotencyKeyOf(call),
  });
  switch (taken.kind) {
    case "refused": {
      // What is left of the body is not read: the connection cannot be used again.
      call.outgoing.shouldKeepAlive = call.incoming.complete;
      const { problems } = taken;
      throw new ForemanError("invalid_request", "the batch is malformed", { problems });
    }
    case "opened":
      runner.take(taken.batch);
      tell(call, 202, batchView(taken.batch));
      break;
    case "known":
      tell(call, 202, batchView(taken.batch));
      break;
    default:
      taken satisfies never;
  }
}

/** `GET /api/runtime/llm/jobs/{job_id}`. */
export async function showBatch(call: Call, id: string, deps: BatchRouteDeps): Promise<void> {
  tell(call, 200, batchView(await batchOf(call, id, deps)));
}

/** `POST /api/runtime/llm/jobs/{job_id}/cancel`: a batch that has ended stays as it is. */
export async function cancelBatch(call: Call, id: string, deps: BatchRouteDeps): Promise<void> {
  await deps.runner.cancel(await batchOf(call, id, deps));
  tell(call, 200, batchView(await batchOf(call, id, deps)));
}

/**
 * `POST /api/runtime/llm/jobs/{job_id}/retry`: the items that failed wait again.
 *
 * @throws ForemanError `batch_cancelled`, or `draining` while no new work is taken
 */
export async function retryBatch(call: Call, id: string, deps: BatchRouteDeps): Promise<void> {
  const batch = await batchOf(call, id, deps);
  const { closing } = deps.queue;
  if (closing !== null) throw closedError(closing);
  if (batch.status === "cancelled") {
    throw new ForemanError("batch_cancelled", `batch ${id} was cancelled: submit it anew`);
  }
  const retried = await deps.runner.retry(batch);
  tell(call, 200, { ...batchView(await batchOf(call, id, deps)), retried });
}

/** `GET /api/runtime/llm/jobs`: newest first; `next` is the `after` of the next page. */
export async function listBatches(call: Call, { batches }: BatchRouteDeps): Promise<void> {
  const { after, ...filter } = readQuery(call, batchListQuery);
  const client = filter.client ?? (call.isAdmin ? undefined : call.client);
  if (client !== undefined && !isOwn(call, { client })) {
    tell(call, 200, { jobs: [], next: null });
    return;
  }
  const found = await batches.batchPage({ ...filter, client, ...(after > 0 && { after }) });
  const next = found.length === filter.limit ? (found.at(-1)?.seq ?? null) : null;
  tell(call, 200, { jobs: found.map(batchView), next });
}

/** The batch of that id, if the caller may see it. @throws ForemanError `not_found` */
export async function batchOf(
  call: Call,
  id: string,
  { batches }: Pick<BatchRouteDeps, "batches">,
): Promise<StoredBatch> {
  const batchId = jobIdOf(id);
  const batch = batchId && (await batches.batch(batchId));
  if (batch === null || !isOwn(call, batch))
    throw new ForemanError("not_found", `no batch job "${id}"`);
  return batch;
}

/** The body as it comes. @throws ForemanError `body_too_large`, `bad_request` */
async function* boundedBody({ incoming }: Call): AsyncGenerator<Buffer> {
  const { batchBytes } = runtimeLimits;
  const tooLarge = () => {
    const message = `a batch is at most ${batchBytes} bytes; send it in parts`;
    return new ForemanError("body_too_large", message);
  };
  if (Number(incoming.headers["content-length"] ?? 0) > batchBytes) throw tooLarge();
  incoming.setTimeout(bodyIdleMsMax);
  let bytes = 0;
  try {
    // Left undestroyed when reading ends early: its answer still goes out by the same socket.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length;
      if (bytes > batchBytes) throw tooLarge();
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof ForemanError) throw cause;
    throw new ForemanError("bad_request", "the request broke off in its body", { cause });
  } finally {
    incoming.setTimeout(0);
  }
}
