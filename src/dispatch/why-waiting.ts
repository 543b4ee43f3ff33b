import type { JobId } from "../job.ts";
import type { Queue } from "../queue/queue.ts";
import { explain } from "../scheduler/hold-reason.ts";
import type { Runners } from "../target/runners.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { nameRunner } from "./name-runner.ts";

export type WaitSources = {
  readonly queue: Queue;
  readonly dispatcher: Dispatcher;
  readonly runners: Runners;
};

/** Where a job stands and why it is held; `etaMs` until its expected start, null where unknown. */
export type Wait = {
  readonly position: number;
  readonly reason: string | null;
  readonly etaMs: number | null;
};

/**
 * Where a job stands in its lane (from 1), and why the lane is not let through. Null for a job that
 * does not wait in memory: it runs, has ended, or is far behind in the store.
 */
export function whyWaiting(id: JobId, sources: WaitSources): Wait | null {
  const { dispatcher, queue } = sources;
  for (const lane of queue.lanes()) {
    if (!lane.waiting.has(id)) continue;
    const position = [...lane.waiting.keys()].indexOf(id) + 1;
    const hold = dispatcher.view.holds.get(lane.key);
    const reason = hold === undefined ? null : explain(hold, (key) => nameRunner(key, sources));
    return { position, reason, etaMs: dispatcher.startsInMs(lane.key, position) };
  }
  return null;
}
