import type { ClientRules } from "./access/client-rules.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import { Controls } from "./controls/controls.ts";
import { Accounts } from "./dispatch/accounts.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { measuresKeeper } from "./dispatch/measures-keeper.ts";
import { readHistory } from "./dispatch/read-history.ts";
import { Stalls } from "./dispatch/stalls.ts";
import { History, type Reading } from "./history/history.ts";
import type { Job, JobId } from "./job.ts";
import type { Log } from "./log.ts";
import { Metrics } from "./metrics/metrics.ts";
import type { OpenedStore } from "./open-store.ts";
import { JobChanges } from "./queue/job-changes.ts";
import { Queue } from "./queue/queue.ts";
import type { EndedWaiting } from "./queue/queue-options.ts";
import { buildBatches } from "./runtime/batches/build-batches.ts";
import type { StartIngest } from "./runtime/batches/ingester.ts";
import type { OnItemsEnded } from "./runtime/batches/run-item.ts";
import { buildRuntime } from "./runtime/build-runtime.ts";
import type { ScheduleLimits } from "./scheduler/snapshot.ts";
import { Backups } from "./store/backups.ts";
import type { Store } from "./store/store.ts";
import { StoreKeeper } from "./store/store-keeper.ts";
import { WriteBehind } from "./store/write-behind.ts";
import { Inventory } from "./target/inventory.ts";
import { inventoryKeeper } from "./target/inventory-memory.ts";
import { OllamaTarget } from "./target/ollama-target.ts";
import { Poller } from "./target/poller.ts";
import { Runners } from "./target/runners.ts";
import { Surveyor } from "./target/surveyor.ts";
import type { Target } from "./target/target.ts";
import { Warmer } from "./target/warmer.ts";
import { buildWatchdog } from "./watchdog/build-watchdog.ts";
import type { Resolve } from "./webhook/pinned-lookup.ts";
import type { Connect } from "./webhook/post.ts";
import { createWebhooks } from "./webhook/webhooks.ts";

/** What the engine is given of the world. */
export type Outside = OpenedStore & {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
  /** How the names of webhooks' receivers are resolved; by the system if absent. */
  readonly resolve?: Resolve;
  /** How those receivers are connected to; over the network if absent. */
  readonly connect?: Connect;
  /** What reads batches that come in; a thread if absent. */
  readonly startIngest?: StartIngest;
  readonly clients: ClientRules;
  /** The Ollama that it stands in front of; the one that the settings name if absent. */
  readonly target?: Target;
};

export type Engine = ReturnType<typeof buildEngine>;

/**
 * Builds all that lets jobs wait, run and be told of, without a door to come in by. Nothing in it
 * runs yet but the store.
 */
export function buildEngine(config: Config, outside: Outside) {
  const { clients, clock, log, random, remains, store } = outside;
  const changes = new JobChanges();
  const inventory = new Inventory(config.requiredModels.map(({ name }) => name));
  const metrics = new Metrics({ inventory });
  const onTransition = (id: JobId) => {
    changes.note(id);
    webhooks.wake();
  };
  store.listen({ onTransition, onCommit: (tookMs) => metrics.noteCommit(tookMs) });
  const onReceipt = metrics.noteDelivery.bind(metrics);
  const webhooks = createWebhooks({ ...config, ...outside, store, onReceipt });
  const { batches, upkeep } = store;
  const keeper = new StoreKeeper({ ...config, store, batches, upkeep, clock, log });
  const backups = new Backups({ ...config, upkeep, clock, log });

  const target = outside.target ?? targetOf(config);
  const keepInventory = inventoryKeeper(inventory, store, log);
  const runners = new Runners(inventory);
  const wake = () => dispatcher.tick();
  const surveyor = new Surveyor({ target, inventory, clock, log, onLearned: wake });
  const warmer = new Warmer({ ...config, target, inventory, clock, log });
  const poller = new Poller({
    ...{ target, inventory, clock, log, random },
    intervalMs: config.pollIntervalMs,
    onReturn: () => {
      watchdog.check();
      return warmer.warm();
    },
    onChange: () => {
      keepInventory();
      void surveyor.survey();
      if (dispatcher.runningCount > 0) warmer.noteLoadedUnderLoad();
      runtime.ollama.noteTarget();
      dispatcher.tick();
    },
  });

  const controls = new Controls({ ...config, memory: store, clock, log, onChange: wake });
  const accounts = new Accounts(runners, (client) => clients.weightOf(client));
  const history = buildHistory({ runners, store, clock, log }, () => ({
    ...readHistory({ dispatcher, inventory, queue }),
    unfed: batching.runner.counts.unfed,
  }));
  const behind = new WriteBehind({ clock, log });
  const queue = new Queue({
    ...{ ...config, ...observers({ accounts, history, metrics }), store, behind, clock, log },
    depthMax: config.queueDepthMax,
    isModelMissing: (model) => inventory.isMissing(model),
    topClassOf: (client) => clients.topClassOf(client),
    onChange: wake,
  });
  const pieces = { queue, store, target, inventory, poller, clock, random, log };
  const stalls = new Stalls({ clock, log });
  const dispatcher = new Dispatcher({
    ...{ ...config, ...pieces, behind, runners, accounts },
    scheduleLimits: scheduleLimitsOf(config, controls),
    pauseOf: (lane) => controls.pauseOf(lane),
    slotsOf: (client) => clients.slotsOf(client),
    describeMissing: (model) => watchdog.describe(model),
    onLoaded: (id, cause) => history.loaded(id, cause === "gone"),
    onEnded: (ended) => {
      stalls.noteEnded(ended);
      runtime.ollama.noteEnded(ended);
      metrics.jobs.noteRun(ended);
      history.noteRun(ended);
    },
  });
  const watchdog = buildWatchdog(config, {
    ...pieces,
    isDraining: () => queue.isDraining,
    onProgress: wake,
    onBack: (model) => warmer.noteBack(model),
  });
  const runtime = buildRuntime(config, { ...pieces, runningCount: () => dispatcher.runningCount });
  const onItemsEnded = itemsObserver({ history, metrics });
  const batching = buildBatches(config, {
    ...{ ...config, ...outside, ...pieces, ...runtime, batches, changes, onItemsEnded },
  });
  return {
    ...{ ...pieces, backups, batches, batching, changes, controls, dispatcher, history, keeper },
    measures: measuresKeeper({ ...pieces, memory: store, ...dispatcher.view }),
    ...{ metrics, remains, runners, runtime, surveyor, stalls, watchdog, webhooks },
  };
}

function targetOf({ outboundToken: token, targetOrigin: origin }: Config): Target {
  return new OllamaTarget({ origin, token });
}

type HistoryDeps = Pick<Outside, "clock" | "log"> & {
  readonly runners: Runners;
  readonly store: Store;
};

function buildHistory({ runners, store, ...deps }: HistoryDeps, read: () => Reading): History {
  return new History({ ...deps, memory: store, read, keyOf: (loadKey) => runners.keyOf(loadKey) });
}

type Observers = {
  readonly accounts: Accounts;
  readonly history: History;
  readonly metrics: Metrics;
};

/** Who is told of jobs that come to wait, and go. */
function observers({ accounts, history, metrics }: Observers) {
  return {
    onJoined: (job: Job) => {
      accounts.joined(job);
      history.joined(job);
    },
    onLeft: (job: Job) => {
      accounts.left(job);
      history.left(job.id);
    },
    onEndedWaiting: (job: Pick<Job, "class">, why: EndedWaiting) => {
      metrics.jobs.noteEnd(job, why);
      history.noteEndedWaiting(why);
    },
  };
}

function itemsObserver({ history, metrics }: Omit<Observers, "accounts">): OnItemsEnded {
  return (status, count) => {
    metrics.noteItems(status, count);
    history.noteItems(status, count);
  };
}

function scheduleLimitsOf({ swapQuantum }: Config, controls: Controls): ScheduleLimits {
  return {
    ...{ ...schedulingBounds, swapQuantum },
    get slots() {
      return controls.slots;
    },
  };
}

/** The scheduler's bounds that are no settings; scheduler/design.md has their arithmetic. */
const schedulingBounds = {
  patienceMs: { interactive: 5_000, batch: 300_000 },
  batchFloor: { starts: 20, ms: 60_000 },
};
