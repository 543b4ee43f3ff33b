import type { Queue } from "../queue/queue.ts";
import type { Runners } from "../target/runners.ts";
import type { Dispatcher } from "./dispatcher.ts";

type NameSources = {
  readonly queue: Queue;
  readonly dispatcher: Dispatcher;
  readonly runners: Runners;
};

/**
 * The model of a runner, for people. Of several that share it, the one that runs on it, else one
 * that somebody waits for: these are the names that people expect to read.
 */
export function nameRunner(runnerKey: string, { dispatcher, queue, runners }: NameSources): string {
  const running = dispatcher.view.running.map(({ waiting }) => waiting.job);
  for (const { loadKey } of [...running, ...queue.lanes()]) {
    if (runners.keyOf(loadKey) === runnerKey) return runners.modelOf(loadKey);
  }
  return runners.modelOn(runnerKey);
}
