import type { Config } from "../../config.ts";
import type { Part } from "../../lifecycle.ts";
import { runtimeLimits } from "../../wire/runtime-limits.ts";
import { BatchIntake } from "./batch-intake.ts";
import { BatchRunner } from "./batch-runner.ts";
import { Ingester, type StartIngest } from "./ingester.ts";
import { ItemQueue } from "./item-queue.ts";
import { judgeBatch } from "./judge-batch.ts";
import type { BatchSummary } from "./read-batch.ts";
import { type ItemRunDeps, runItem } from "./run-item.ts";

type BatchesDeps = Parameters<typeof judgeBatch>[1] &
  Omit<ItemRunDeps, "itemQueue" | "repairsMax" | "attemptsMax"> &
  Omit<ConstructorParameters<typeof ItemQueue>[0], "keepAlive"> &
  Omit<ConstructorParameters<typeof BatchRunner>[0], "runItem"> & {
    readonly startIngest?: StartIngest | undefined;
  };

export type Batches = {
  readonly intake: BatchIntake;
  readonly runner: BatchRunner;
  readonly parts: readonly Part[];
};

/** Builds what takes batches in and runs them; nothing of it runs yet. */
export function buildBatches(config: Config, deps: BatchesDeps): Batches {
  const { batches, clock, log, startIngest } = deps;
  const { batchItems: itemsMax, requestBytes: itemBytesMax } = runtimeLimits;
  const ingester = new Ingester({ clock, limits: { itemsMax, itemBytesMax }, startIngest });
  const judge = (summary: BatchSummary) => judgeBatch(summary, deps);
  const intake = new BatchIntake({ batches, ingester, judge, clock, log });
  const itemDeps: ItemRunDeps = {
    ...deps,
    itemQueue: new ItemQueue({ ...deps, keepAlive: config.keepAlive }),
    repairsMax: config.repairsMax,
    attemptsMax: config.runLimits.attemptsMax,
  };
  const runner = new BatchRunner({
    ...deps,
    runItem: (item, batch, signal) => runItem(item, batch, { deps: itemDeps, signal }),
  });
  const stopIntake = async () => {
    await ingester.stop();
    await intake.stop();
  };
  return {
    intake,
    runner,
    parts: [
      { name: "batch intake", start: () => intake.recover(), stop: stopIntake },
      { name: "batch runner", start: () => runner.start(), stop: () => runner.stop() },
    ],
  };
}
