import type { JobId } from "../job.ts";
import type { Lane } from "../queue/lanes.ts";
import { explain, type HoldReason } from "../scheduler/hold-reason.ts";
import type { Inventory } from "../target/inventory.ts";
import { digestOf } from "../target/runner-key.ts";

type WaitSources = {
  readonly lanes: Iterable<Lane>;
  /** Why the head of each lane is held. */
  readonly holds: ReadonlyMap<string, HoldReason>;
  readonly inventory: Inventory;
};

/**
 * Where a job stands in its lane (from 1), and why the lane is not let through. Null for a job that
 * does not wait in memory: it runs, has ended, or is far behind in the store.
 */
export function whyWaiting(
  id: JobId,
  { holds, inventory, lanes }: WaitSources,
): { readonly position: number; readonly reason: string | null } | null {
  for (const lane of lanes) {
    if (!lane.waiting.has(id)) continue;
    const position = [...lane.waiting.keys()].indexOf(id) + 1;
    const hold = holds.get(lane.key);
    const reason = hold === undefined ? null : explain(hold, (key) => modelOf(key, inventory));
    return { position, reason };
  }
  return null;
}

/** The model of a runner key, by the name that the target lists. */
function modelOf(runnerKey: string, { models }: Inventory): string {
  const digest = digestOf(runnerKey);
  for (const model of models.values()) if (model.digest === digest) return model.name;
  return digest;
}
