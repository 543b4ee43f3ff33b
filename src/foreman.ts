import { hostname, networkInterfaces } from "node:os";
import { type Clock, systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { drain } from "./dispatch/drain.ts";
import { progressOf } from "./dispatch/progress-of.ts";
import { readStatus } from "./dispatch/read-status.ts";
import { whyWaiting } from "./dispatch/why-waiting.ts";
import type { ForemanError } from "./errors.ts";
import { createApp } from "./http/app.ts";
import { createAccess } from "./http/door/access.ts";
import { BodyBudget } from "./http/door/body-budget.ts";
import { originPolicy, ownOriginPolicy } from "./http/door/origin-policy.ts";
import { createReception, type Reception } from "./http/door/reception.ts";
import { HttpServer } from "./http/door/server.ts";
import { EventStreams } from "./http/events/event-streams.ts";
import type { Health } from "./http/health-routes.ts";
import type { JobId } from "./job.ts";
import { Lifecycle, type Part } from "./lifecycle.ts";
import type { Log } from "./log.ts";
import { JobChanges } from "./queue/job-changes.ts";
import { Queue } from "./queue/queue.ts";
import { Share } from "./scheduler/share.ts";
import type { ScheduleLimits } from "./scheduler/snapshot.ts";
import { Backups } from "./store/backups.ts";
import { openSqliteStore } from "./store/sqlite/sqlite-store.ts";
import type { Store } from "./store/store.ts";
import { StoreKeeper } from "./store/store-keeper.ts";
import { Inventory } from "./target/inventory.ts";
import { inventoryKeeper, recallInventory } from "./target/inventory-memory.ts";
import { OllamaTarget } from "./target/ollama-target.ts";
import { Poller } from "./target/poller.ts";
import type { Target } from "./target/target.ts";
import { Warmer } from "./target/warmer.ts";

/** What a test may put in the place of the real thing. */
export type Overrides = {
  readonly log: Log;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** The daemon cannot go on: the process must end, and recover when it starts again. */
  readonly onFatal: (error: ForemanError) => void;
};

export type Foreman = {
  /** The port that it listens on; 0 before the start. */
  readonly port: number;
  /** Resolves when foreman listens and what a dead daemon left behind is recovered. */
  start(): Promise<void>;
  /** Drains and stops; answers the names of what did not stop. Idempotent. */
  stop(): Promise<readonly string[]>;
};

/** Foreman's version, as /healthz tells it; a test holds it against package.json. */
const foremanVersion = "0.1.0";

/**
 * Builds the daemon, in which nothing runs yet but the store.
 *
 * @throws ForemanError when the database cannot be opened: see `openSqliteStore`
 */
export async function buildForeman(config: Config, overrides: Overrides): Promise<Foreman> {
  const { log, onFatal } = overrides;
  const clock = overrides.clock ?? systemClock;
  const random = overrides.random ?? Math.random;
  const startedAtMs = clock.monotonicMs();
  const changes = new JobChanges();
  const onTransition = (id: JobId) => changes.note(id);
  const { databaseFile: file } = config;
  const store = await openSqliteStore({ file, log, clock, onFatal, onTransition });
  const { upkeep } = store;
  const keeper = new StoreKeeper({ store, upkeep, clock, log, jobTtlMs: config.jobTtlMs });
  const backups = new Backups({ upkeep, databaseFile: file, clock, log });

  const target = new OllamaTarget({ origin: config.targetOrigin, token: config.outboundToken });
  const inventory = new Inventory();
  const keepInventory = inventoryKeeper(inventory, store, log);
  const warmer = new Warmer({ target, inventory, clock, log, embedModel: config.embedModel });
  const poller = new Poller({
    ...{ target, inventory, clock, log, random },
    intervalMs: config.pollIntervalMs,
    onReturn: () => warmer.warm(),
    onChange: () => {
      keepInventory();
      if (dispatcher.runningCount > 0) warmer.noteLoadedUnderLoad();
      dispatcher.tick();
    },
  });

  const share = { interactive: new Share(), batch: new Share() };
  const queue = new Queue({
    store,
    clock,
    log,
    depthMax: config.queueDepthMax,
    answerBytesMax: config.answerBytesMax,
    waitMsMax: config.waitMsMax,
    onJoined: (job) => share[job.class].joined(job),
    onLeft: (job) => share[job.class].left(job),
    onChange: () => dispatcher.tick(),
  });
  const dispatcher = new Dispatcher({
    ...{ queue, store, target, inventory, poller, share, clock, random, log },
    scheduleLimits: scheduleLimitsOf(config),
    ...config,
  });

  const readHealth = (): Health => ({
    phase: lifecycle.phase,
    version: foremanVersion,
    uptimeMs: clock.monotonicMs() - startedAtMs,
    target: { ...poller.state, version: inventory.version },
    store: keeper,
    workerProblem: dispatcher.problem,
    queue: { waiting: queue.depth, running: dispatcher.runningCount, isFull: queue.isFull },
  });
  const eventStreams = new EventStreams({ clock, log, streamsMax: config.eventStreamsMax });
  const app = createApp({
    ...config,
    ...{ queue, store, target, inventory, poller, clock, log, readHealth, changes, eventStreams },
    readStatus: () =>
      readStatus({ clock, queue, dispatcher, inventory, poller, slots: config.chatSlots }),
    backUp: () => backups.make(),
    whyWaiting: (job, position) => whyWaiting(job, { queue, dispatcher, inventory }, position),
    progressOf: (id) => progressOf(id, { queue, dispatcher, inventory, clock }),
    reception: receptionOf(config),
  });
  const http = new HttpServer({ app, clock });
  const lifecycle = new Lifecycle({
    clock,
    log,
    drain: () => drain({ ...config, queue, dispatcher, http, eventStreams, clock, log }),
    parts: partsOf(config, {
      ...{ store, keeper, target, inventory, queue, poller, http, eventStreams, clock, log },
    }),
  });
  return {
    get port() {
      return http.port;
    },
    start: () => lifecycle.start(),
    stop: () => lifecycle.stop(),
  };
}

type Pieces = RecoverDeps & {
  readonly store: Store;
  readonly keeper: StoreKeeper;
  readonly target: Target;
  readonly poller: Poller;
  readonly http: HttpServer;
  readonly eventStreams: EventStreams;
};

/** What has a life, in the order of its start. */
function partsOf({ listen }: Config, pieces: Pieces): readonly Part[] {
  const { eventStreams, http, keeper, poller, store, target } = pieces;
  return [
    { name: "store", start: () => recover(store, pieces), stop: () => store.close() },
    { name: "store keeper", start: () => keeper.start(), stop: () => keeper.stop() },
    { name: "target", stop: () => target.close() },
    { name: "poller", start: () => void poller.refresh(), stop: () => poller.stop() },
    {
      name: "listener",
      start: async () => {
        await http.listen(listen.host, listen.port);
        pieces.log.info({ host: listen.host, port: http.port }, "foreman listening");
      },
      stop: () => http.close(),
    },
    { name: "event streams", stop: () => eventStreams.end() },
  ];
}

function receptionOf(config: Config): Reception {
  const { allowedHosts, bodiesBytesMax, inboundToken, listen, origins } = config;
  return createReception({
    budget: new BodyBudget(bodiesBytesMax),
    hosts: {
      boundAddress: listen.host,
      allowedHosts,
      hostname: hostname(),
      localAddresses: localAddresses(),
    },
    origins: { ollama: originPolicy({ origins }), own: ownOriginPolicy({ origins }) },
    access: createAccess(inboundToken),
  });
}

type RecoverDeps = {
  readonly inventory: Inventory;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly log: Log;
};

/** Sorts out what a daemon that died left behind, before anybody is let in. */
async function recover(store: Store, deps: RecoverDeps): Promise<void> {
  const { clock, inventory, log, queue } = deps;
  const recovery = await store.recoverInterrupted(clock.wallMs());
  if (Object.values(recovery).some((count) => count > 0)) {
    log.warn(recovery, "jobs of an interrupted daemon recovered");
  }
  await recallInventory(inventory, store, log);
  await queue.restore();
}

function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.map(({ address }) => address),
  );
}

function scheduleLimitsOf({ chatSlots, swapQuantum }: Config): ScheduleLimits {
  return { ...schedulingBounds, slots: chatSlots, swapQuantum };
}

/** The scheduler's bounds that are no settings; scheduler/design.md has their arithmetic. */
const schedulingBounds = {
  patienceMs: { interactive: 5_000, batch: 300_000 },
  batchFloor: { starts: 20, ms: 60_000 },
};
