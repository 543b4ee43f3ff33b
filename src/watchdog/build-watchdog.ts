import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import type { Inventory } from "../target/inventory.ts";
import type { Poller } from "../target/poller.ts";
import type { Target } from "../target/target.ts";
import { bringBack } from "./bring-back.ts";
import { FileHasher } from "./hash-file.ts";
import { Watchdog } from "./watchdog.ts";

type WatchdogDeps = {
  readonly target: Target;
  readonly inventory: Inventory;
  readonly poller: Poller;
  readonly clock: Clock;
  readonly log: Log;
  readonly isDraining: () => boolean;
  readonly onProgress: () => void;
  readonly onBack: (model: string) => void;
};

/** The watchdog of the required models, with its sources. */
export function buildWatchdog(config: Config, deps: WatchdogDeps): Watchdog {
  const { inventory, poller } = deps;
  const sources = {
    ...config,
    ...deps,
    log: deps.log.child({ component: "watchdog" }),
    hasher: new FileHasher(),
    isStillMissing: async (model: string) => {
      await poller.refresh();
      return inventory.isMissing(model);
    },
    isTargetThere: async () => {
      await poller.refresh();
      return poller.state.presence !== "away";
    },
  };
  return new Watchdog({
    ...deps,
    models: config.requiredModels,
    bringBack: (model, onSource) => bringBack(model, onSource, sources),
  });
}
