import type { LimitFunction } from "p-limit";
import type { Engine } from "./build-engine.ts";
import { wallMsOfIso } from "./clock.ts";
import type { Reading, WorkReading } from "./metrics/reading.ts";

type Beside = {
  readonly version: string;
  readonly work: WorkReading;
  readonly embedLimit: LimitFunction;
};

/** What metrics tell of this moment. Without the webhooks' part if the store cannot be asked. */
export async function takeReading(engine: Engine, beside: Beside): Promise<Reading> {
  const { batching, clock, controls, inventory, keeper, log, poller, queue, runtime, webhooks } =
    engine;
  const { embedLimit, version, work } = beside;
  const untold = (cause: unknown) => {
    log.warn({ err: cause }, "webhooks not read for a scrape");
    return null;
  };
  return {
    version,
    work,
    isDraining: queue.isDraining || queue.closing !== null,
    paused: controls.pauses.map(({ class: of, model, since }) => ({
      class: of,
      model,
      ageMs: Math.max(0, clock.wallMs() - wallMsOfIso(since)),
    })),
    target: {
      presence: poller.state.presence,
      version: inventory.version,
      modelCount: inventory.models.size,
      loaded: inventory.loaded,
    },
    embeddings: { running: embedLimit.activeCount, waiting: embedLimit.pendingCount },
    store: {
      problem: keeper.problem,
      freeBytes: keeper.beat?.freeBytes ?? null,
      logBytes: keeper.logBytes,
    },
    batches: batching.runner.counts,
    providers: Object.values(runtime.providers)
      .filter(({ isConfigured }) => isConfigured)
      .map(({ id, status }) => ({ id, status })),
    webhooks: await webhooks.backlog().catch(untold),
    atMs: clock.wallMs(),
  };
}
