import { isoTime } from "../../clock.ts";
import type { JobId } from "../../job.ts";
import type { JobChanges } from "../../queue/job-changes.ts";
import type { StoredBatch } from "../../store/batch-store.ts";
import { answer, type Call } from "../call.ts";
import type { EventFeed, PassingEvent } from "../events/event-feed.ts";
import { eventStreamHeaders } from "../events/event-stream.ts";
import type { EventStreams } from "../events/event-streams.ts";
import { lastEventIdOf } from "../events/last-event-id.ts";
import { type BatchRouteDeps, batchOf } from "./batches.ts";

export type BatchEventsDeps = Pick<BatchRouteDeps, "batches"> & {
  readonly changes: JobChanges;
  readonly eventStreams: EventStreams;
};

/**
 * `GET /api/runtime/llm/jobs/{job_id}/events`: how far the batch is, whenever items ended, up to
 * its end. An event's number is one more than the items that had ended by then, so that a client
 * which comes back is told what is new to it, and nothing twice.
 */
export async function tellBatchEvents(
  call: Call,
  id: string,
  deps: BatchEventsDeps,
): Promise<void> {
  const after = lastEventIdOf(call);
  const batch = await batchOf(call, id, deps);
  const isOver = batch.endedAtMs !== null;
  // An EventSource that is told 204 comes no more.
  if (isOver && after === numberOf(batch)) answer(call, 204, [], "");
  else if (call.incoming.method === "HEAD") answer(call, 200, eventStreamHeaders, "");
  else deps.eventStreams.open(call, new BatchFeed(batch, deps), after);
}

class BatchFeed implements EventFeed {
  readonly #id: JobId;
  readonly #deps: BatchEventsDeps;

  constructor({ id }: StoredBatch, deps: BatchEventsDeps) {
    this.#id = id;
    this.#deps = deps;
  }

  follow(poke: () => void): () => void {
    return this.#deps.changes.follow(this.#id, poke);
  }

  async read(after: number) {
    const batch = await this.#deps.batches.batch(this.#id);
    if (batch === null) return null;
    const id = numberOf(batch);
    // A retry, or a restored backup, takes numbers back: what differs is news.
    if (id === after) return { events: [], hasMore: false };
    const isLast = batch.endedAtMs !== null;
    const type = isLast ? batch.status : "progress";
    return { events: [{ id, type, document: eventView(batch, type), isLast }], hasMore: false };
  }

  passing(): PassingEvent | null {
    return null;
  }
}

function endedCount({ cancelledCount, completedCount, failedCount }: StoredBatch): number {
  return completedCount + failedCount + cancelledCount;
}

function numberOf(batch: StoredBatch): number {
  return endedCount(batch) + 1;
}

/** With the members that a Catalyst event has, so that a hub may send it on as it is. */
function eventView(batch: StoredBatch, type: string) {
  const latestMs = batch.endedAtMs ?? batch.startedAtMs ?? batch.createdAtMs;
  return {
    event_type: `runtime_llm.${type}`,
    campaign_name: `${batch.jobType}/${batch.id}`,
    value: endedCount(batch) / batch.submittedCount,
    timestamp: isoTime(latestMs),
    job_id: batch.id,
    status: batch.status,
    submitted_count: batch.submittedCount,
    completed_count: batch.completedCount,
    failed_count: batch.failedCount,
    cancelled_count: batch.cancelledCount,
  };
}
