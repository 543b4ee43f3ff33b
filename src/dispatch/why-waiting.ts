import type { JobId } from "../job.ts";
import type { Queue } from "../queue/queue.ts";
import { explain } from "../scheduler/hold-reason.ts";
import type { Inventory } from "../target/inventory.ts";
import { modelOfRunner } from "../target/model-of-runner.ts";
import type { Dispatcher } from "./dispatcher.ts";

type WaitSources = {
  readonly queue: Queue;
  readonly dispatcher: Dispatcher;
  readonly inventory: Inventory;
};

/**
 * Where a job stands in its lane (from 1), and why the lane is not let through. Null for a job that
 * does not wait in memory: it runs, has ended, or is far behind in the store.
 */
export function whyWaiting(
  id: JobId,
  { dispatcher, inventory, queue }: WaitSources,
): { readonly position: number; readonly reason: string | null } | null {
  for (const lane of queue.lanes()) {
    if (!lane.waiting.has(id)) continue;
    const position = [...lane.waiting.keys()].indexOf(id) + 1;
    const hold = dispatcher.view.holds.get(lane.key);
    const reason =
      hold === undefined ? null : explain(hold, (key) => modelOfRunner(key, inventory));
    return { position, reason };
  }
  return null;
}
