import { hostname, networkInterfaces } from "node:os";
import { type Clock, systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { Accounts } from "./dispatch/accounts.ts";
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
import { type Batches, buildBatches } from "./runtime/batches/build-batches.ts";
import { buildRuntime, type Runtime } from "./runtime/build-runtime.ts";
import type { ScheduleLimits } from "./scheduler/snapshot.ts";
import { Backups } from "./store/backups.ts";
import { openSqliteStore } from "./store/sqlite/sqlite-store.ts";
import type { Store } from "./store/store.ts";
import { StoreKeeper } from "./store/store-keeper.ts";
import { Inventory } from "./target/inventory.ts";
import { inventoryKeeper, recallInventory } from "./target/inventory-memory.ts";
import { OllamaTarget } from "./target/ollama-target.ts";
import { Poller } from "./target/poller.ts";
import { Runners } from "./target/runners.ts";
import { Surveyor } from "./target/surveyor.ts";
import type { Target } from "./target/target.ts";
import { Warmer } from "./target/warmer.ts";
import type { Resolve } from "./webhook/pinned-lookup.ts";
import { createWebhooks, type Webhooks } from "./webhook/webhooks.ts";

/** What a test may put in the place of the real thing. */
export type Overrides = {
  readonly log: Log;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** How the names of webhooks' receivers are resolved. */
  readonly resolve?: Resolve;
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
  const onTransition = (id: JobId) => {
    changes.note(id);
    webhooks.wake();
  };
  const { databaseFile: file, diskFloorBytes, jobTtlMs } = config;
  const place = { file, diskFloorBytes };
  const store = await openSqliteStore({ ...place, log, clock, onFatal, onTransition });
  const webhooks = createWebhooks({ ...config, ...overrides, store, clock, random });
  const { upkeep } = store;
  const keeper = new StoreKeeper({ store, upkeep, clock, log, jobTtlMs });
  const backups = new Backups({ upkeep, databaseFile: file, clock, log });

  const target = new OllamaTarget({ origin: config.targetOrigin, token: config.outboundToken });
  const inventory = new Inventory();
  const keepInventory = inventoryKeeper(inventory, store, log);
  const runners = new Runners(inventory);
  const onLearned = () => dispatcher.tick();
  const surveyor = new Surveyor({ target, inventory, clock, log, onLearned });
  const warmer = new Warmer({ target, inventory, clock, log, embedModel: config.embedModel });
  const poller = new Poller({
    ...{ target, inventory, clock, log, random },
    intervalMs: config.pollIntervalMs,
    onReturn: () => warmer.warm(),
    onChange: () => {
      keepInventory();
      void surveyor.survey();
      if (dispatcher.runningCount > 0) warmer.noteLoadedUnderLoad();
      runtime.ollama.noteTarget();
      dispatcher.tick();
    },
  });

  const accounts = new Accounts(runners);
  const queue = new Queue({
    ...{ store, clock, log },
    depthMax: config.queueDepthMax,
    answerBytesMax: config.answerBytesMax,
    waitMsMax: config.waitMsMax,
    onJoined: (job) => accounts.joined(job),
    onLeft: (job) => accounts.left(job),
    onChange: () => dispatcher.tick(),
  });
  const pieces = { queue, store, target, inventory, poller, clock, random, log };
  const dispatcher = new Dispatcher({
    ...{ ...pieces, runners, accounts },
    scheduleLimits: scheduleLimitsOf(config),
    onEnded: (ended) => runtime.ollama.noteEnded(ended),
    ...config,
  });
  const runningCount = () => dispatcher.runningCount;
  const runtime = buildRuntime(config, { ...pieces, runningCount });
  const { batches } = store;
  const batching = buildBatches(config, { ...config, ...pieces, ...runtime, batches, changes });

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
  const waits = { clock, queue, dispatcher, inventory, poller, runners };
  const app = createApp({
    ...config,
    ...{ ...pieces, ...runtime, ...batching, batches, readHealth, changes, eventStreams },
    version: foremanVersion,
    readStatus: async () => ({
      ...readStatus({ ...waits, slots: config.chatSlots }),
      webhooks: await webhooks.status(),
    }),
    readWebhook: webhooks.read,
    backUp: () => backups.make(),
    whyWaiting: (job, position) => whyWaiting(job, waits, position),
    progressOf: (id) => progressOf(id, waits),
    reception: receptionOf(config),
  });
  const http = new HttpServer({ app, clock });
  const lifecycle = new Lifecycle({
    clock,
    log,
    drain: () => drain({ ...config, queue, dispatcher, http, eventStreams, clock, log }),
    parts: partsOf(config, {
      ...{ ...pieces, keeper, webhooks, surveyor, runtime, batching, http, eventStreams },
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
  readonly webhooks: Webhooks;
  readonly target: Target;
  readonly poller: Poller;
  readonly surveyor: Surveyor;
  readonly batching: Batches;
  readonly http: HttpServer;
  readonly eventStreams: EventStreams;
};

/** What has a life, in the order of its start. */
function partsOf({ listen }: Config, pieces: Pieces): readonly Part[] {
  const { batching, eventStreams, http, keeper, poller, runtime } = pieces;
  const { store, surveyor, target, webhooks } = pieces;
  return [
    { name: "store", start: () => recover(store, pieces), stop: () => store.close() },
    { name: "store keeper", start: () => keeper.start(), stop: () => keeper.stop() },
    { name: "webhooks", ...webhooks },
    { name: "target", stop: () => target.close() },
    { name: "surveyor", stop: () => surveyor.stop() },
    { name: "poller", start: () => void poller.refresh(), stop: () => poller.stop() },
    ...runtime.parts,
    ...batching.parts,
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
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Log;
};

/** Sorts out what a daemon that died left behind, before anybody is let in. */
async function recover(store: Store, deps: RecoverDeps): Promise<void> {
  const { clock, inventory, log, queue, runtime } = deps;
  const recovery = await store.recoverInterrupted(clock.wallMs());
  if (Object.values(recovery).some((count) => count > 0)) {
    log.warn(recovery, "jobs of an interrupted daemon recovered");
  }
  await recallInventory(inventory, store, log);
  await runtime.providerSwitch.recall();
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
