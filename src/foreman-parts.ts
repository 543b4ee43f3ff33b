import type { Engine } from "./build-engine.ts";
import type { Config } from "./config.ts";
import type { HttpServer } from "./http/door/server.ts";
import type { EventStreams } from "./http/events/event-streams.ts";
import type { Part } from "./lifecycle.ts";
import type { LifeSign } from "./systemd/life-sign.ts";
import { recallInventory } from "./target/inventory-memory.ts";

type Front = {
  readonly http: HttpServer;
  readonly eventStreams: EventStreams;
  readonly lifeSign: LifeSign;
  /** A socket that the service manager listens on; null: foreman listens itself. */
  readonly listenFd: number | null;
};

/** What has a life, in the order of its start: the engine, then its door. */
export function partsOf({ listen }: Config, engine: Engine, front: Front): readonly Part[] {
  const { log } = engine;
  const { eventStreams, http, lifeSign, listenFd } = front;
  return [
    ...enginePartsOf(engine),
    {
      name: "listener",
      start: async () => {
        const { host, port } = listen;
        if (listenFd === null) await http.listen(host, port);
        else await http.takeOver(listenFd, host, port);
        log.info({ host, port: http.port }, "foreman listening");
      },
      stop: () => http.close(),
    },
    { name: "event streams", stop: () => eventStreams.end() },
    { name: "life sign", stop: () => lifeSign.stop() },
  ];
}

/** What lets jobs wait, run and be told of, in the order of its start. */
function enginePartsOf(engine: Engine): readonly Part[] {
  const { batching, history, keeper, measures, poller, runtime } = engine;
  const { store, surveyor, target, watchdog, webhooks } = engine;
  return [
    { name: "store", start: () => recall(engine), stop: () => store.close() },
    { name: "store keeper", start: () => keeper.start(), stop: () => keeper.stop() },
    { name: "history", start: () => history.start(), stop: () => history.stop() },
    { name: "measures", start: () => measures.start(), stop: () => measures.stop() },
    { name: "webhooks", ...webhooks },
    { name: "target", stop: () => target.close() },
    { name: "surveyor", stop: () => surveyor.stop() },
    { name: "poller", start: () => void poller.refresh(), stop: () => poller.stop() },
    { name: "watchdog", start: () => watchdog.start(), stop: () => watchdog.stop() },
    ...runtime.parts,
    ...batching.parts,
  ];
}

/** Brings back what earlier lives left, before anybody is let in. */
async function recall(engine: Engine): Promise<void> {
  const { controls, history, inventory, log, measures, queue, remains, runtime, store } = engine;
  await recallInventory(inventory, store, log);
  await runtime.providerSwitch.recall();
  await controls.recall();
  await history.recall();
  await measures.recall();
  tellRecovered(engine);
  await queue.restore(remains);
}

/** The daemon that they ran in could not count their ends. */
function tellRecovered({ history, log, metrics, remains: { recovery } }: Engine): void {
  const [cancelled, poisoned] = [recovery.cancelled.length, recovery.poisoned.length];
  const counts = { requeued: recovery.requeued, cancelled, poisoned };
  if (recovery.requeued + cancelled + poisoned === 0) return;
  log.warn(counts, "jobs of an interrupted daemon recovered");
  const gone = { state: "cancelled", reason: "client_gone" } as const;
  const poison = { state: "failed", reason: "poison_item" } as const;
  for (const [classes, why] of [
    [recovery.cancelled, gone],
    [recovery.poisoned, poison],
  ] as const) {
    for (const jobClass of classes) {
      metrics.jobs.noteEnd({ class: jobClass }, why);
      history.noteEndedWaiting(why);
    }
  }
}
