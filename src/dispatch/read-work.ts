import type { Clock } from "../clock.ts";
import type { WorkReading } from "../metrics/reading.ts";
import type { Queue } from "../queue/queue.ts";
import type { Runners } from "../target/runners.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { nameRunner } from "./name-runner.ts";

type WorkSources = {
  readonly clock: Clock;
  readonly queue: Queue;
  readonly dispatcher: Dispatcher;
  readonly runners: Runners;
  readonly slots: number;
};

/** What waits and runs, in numbers. Without the forecast of `readStatus`, which takes longer. */
export function readWork(sources: WorkSources): WorkReading {
  const { clock, dispatcher, queue, runners, slots } = sources;
  const nowMs = clock.monotonicMs();
  const { busyMs, measures, running } = dispatcher.view;
  const { loadLog, residents, runCount } = measures;
  return {
    waiting: [...queue.lanes()].map((lane) => {
      const [head] = lane.waiting.values();
      return {
        class: lane.class,
        model: runners.modelOf(lane.loadKey),
        depth: lane.waiting.size + lane.storedBehind,
        oldestWaitMs: head === undefined ? 0 : nowMs - head.joinedAtMs,
      };
    }),
    running: running.map(({ waiting: { job } }) => ({ class: job.class, model: job.model })),
    slots,
    isFull: queue.isFull,
    busyMs,
    runCount,
    loads: loadLog.totals,
    loadMs: [...residents.swapMs].map(([runnerKey, ms]) => ({
      model: nameRunner(runnerKey, sources),
      ms,
    })),
    problem: dispatcher.problem,
  };
}
