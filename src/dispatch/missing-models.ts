import type { Lane } from "../queue/lanes.ts";
import type { HoldReason } from "../scheduler/hold-reason.ts";
import type { Inventory } from "../target/inventory.ts";
import type { Poller } from "../target/poller.ts";
import type { Runners } from "../target/runners.ts";

/** What tells which models are missing, and what is done about them. */
export type MissingDeps = {
  readonly inventory: Inventory;
  readonly poller: Pick<Poller, "state">;
  readonly runners: Runners;
  readonly describeMissing: (model: string) => string | null;
};

/**
 * The lanes, by their keys, whose model is required and not there: sent now, their jobs would be
 * refused. The scheduler does not see them, so that all others go on as if they were not there.
 * None while the target is away, for then that is the reason.
 */
export function lanesOfMissing(
  lanes: Iterable<Lane>,
  { describeMissing, inventory, poller, runners }: MissingDeps,
): ReadonlyMap<string, HoldReason> {
  const held = new Map<string, HoldReason>();
  // Asked at each turn, over thousands of lanes: nearly always nothing is missing.
  if (!inventory.lacksRequired || poller.state.presence !== "present") return held;
  for (const { key, loadKey } of lanes) {
    const model = runners.modelOf(loadKey);
    if (!inventory.isMissing(model)) continue;
    const progress = describeMissing(model) ?? "nobody brings it back";
    held.set(key, { kind: "model-missing", progress });
  }
  return held;
}
