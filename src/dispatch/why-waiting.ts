import { isoTime } from "../clock.ts";
import type { JobId } from "../job.ts";
import type { Lane } from "../queue/lanes.ts";
import type { Queue } from "../queue/queue.ts";
import { explain } from "../scheduler/hold-reason.ts";
import type { StoredJob } from "../store/store.ts";
import type { Runners } from "../target/runners.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { nameRunner } from "./name-runner.ts";

export type WaitSources = {
  readonly queue: Queue;
  readonly dispatcher: Dispatcher;
  readonly runners: Runners;
};

/**
 * Where a job stands in its lane, from 1, and why it is held; `etaMs` until its expected start.
 * Null where unknown.
 */
export type Wait = {
  readonly position: number | null;
  readonly reason: string | null;
  readonly etaMs: number | null;
};

type WaitHere = Wait & { readonly position: number };

/** Explains the wait of a job that waits in memory; null for any other. */
export function whyWaitingHere(id: JobId, sources: WaitSources): WaitHere | null {
  for (const lane of sources.queue.lanes()) {
    const position = placeIn(lane, id);
    if (position > 0) return { ...waitIn(lane, position, sources), position };
  }
  return null;
}

/**
 * Explains the wait of a job, in memory or not; null if it does not wait.
 *
 * @param position where it stands, if somebody has asked the store; not used for a job in
 * memory, whose place is known better there
 */
export function whyWaiting(
  job: StoredJob,
  sources: WaitSources,
  position: number | null = null,
): Wait | null {
  const { id, notBeforeMs, putBackWhy, state } = job;
  if (state !== "queued") return null;
  const lane = sources.queue.laneOf(job);
  const here = lane === null ? 0 : placeIn(lane, id);
  if (lane !== null && here > 0) return waitIn(lane, here, sources);
  if (notBeforeMs !== null) {
    return {
      position,
      reason: `${putBackWhy}: not before ${isoTime(notBeforeMs)}`,
      etaMs: null,
    };
  }
  return lane === null ? { position, reason: null, etaMs: null } : waitIn(lane, position, sources);
}

/** From 1; 0: it is not there. */
function placeIn({ waiting }: Lane, id: JobId): number {
  return waiting.has(id) ? [...waiting.keys()].indexOf(id) + 1 : 0;
}

function waitIn(lane: Lane, position: number | null, sources: WaitSources): Wait {
  const { dispatcher } = sources;
  const hold = dispatcher.view.holds.get(lane.key);
  const reason = hold === undefined ? null : explain(hold, (key) => nameRunner(key, sources));
  const etaMs = position === null ? null : dispatcher.startsInMs(lane.key, position);
  return { position, reason, etaMs };
}
