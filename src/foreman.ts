import pLimit from "p-limit";
import { Clients } from "./access/clients.ts";
import { buildEngine, type Outside } from "./build-engine.ts";
import { systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { drain } from "./dispatch/drain.ts";
import { progressOf } from "./dispatch/progress-of.ts";
import { readStatus } from "./dispatch/read-status.ts";
import { readWork } from "./dispatch/read-work.ts";
import { whyWaiting } from "./dispatch/why-waiting.ts";
import { partsOf } from "./foreman-parts.ts";
import { GpuProbe } from "./gpu-probe.ts";
import { createApp } from "./http/app.ts";
import { StatusFeed } from "./http/controls/status-feed.ts";
import { buildReception } from "./http/door/build-reception.ts";
import { type Connections, HttpServer } from "./http/door/server.ts";
import { EventStreams } from "./http/events/event-streams.ts";
import type { Health } from "./http/health-routes.ts";
import { Lifecycle } from "./lifecycle.ts";
import type { OpenedStore } from "./open-store.ts";
import { LifeSign } from "./systemd/life-sign.ts";
import { type Assignment, type Notifier, noNotifier } from "./systemd/notifier.ts";
import { readStandstill } from "./systemd/standstill.ts";
import { statusLine } from "./systemd/status-line.ts";
import type { Supervision } from "./systemd/supervision.ts";
import { takeReading } from "./take-reading.ts";

/** What a test may put in the place of the real thing; `log` and the store are the process's. */
export type Overrides = Partial<Outside> &
  Pick<Outside, "log" | keyof OpenedStore> & {
    /** The service manager; nobody if absent. */
    readonly notifier?: Notifier;
    /** Who brings clients; foreman listens if absent. */
    readonly connections?: Connections;
    readonly supervision?: Pick<Supervision, "listenFd" | "watchdogMs">;
  };

export type Foreman = {
  /** The port that it listens on; 0 before the start. */
  readonly port: number;
  /** Resolves when foreman listens and what a dead daemon left behind is recovered. */
  start(): Promise<void>;
  /** Drains and stops; answers the names of what did not stop. Idempotent. */
  stop(): Promise<readonly string[]>;
  /** Reads the tokens anew; nothing that runs is disturbed. */
  reload(): void;
};

/** Time for all parts to stop once nothing runs, beyond which a service manager may kill. */
const afterDrainMs = 15_000;

/** Foreman's version, as /healthz tells it; a test holds it against package.json. */
const foremanVersion = "0.1.0";

/** Builds the daemon: an engine, and the door in front of it. */
export function buildForeman(config: Config, overrides: Overrides): Foreman {
  const { clock = systemClock, log, notifier = noNotifier, random = Math.random } = overrides;
  const { listenFd = null, watchdogMs = null } = overrides.supervision ?? {};
  const startedAtMs = clock.monotonicMs();
  const clients = new Clients({ token: config.inboundToken, file: config.tokensFile, log });
  const engine = buildEngine(config, { ...overrides, clock, random, clients });
  const { batching, dispatcher, inventory, keeper, poller, queue, runtime, webhooks } = engine;

  const readHealth = (): Health => ({
    phase: lifecycle.phase,
    version: foremanVersion,
    uptimeMs: clock.monotonicMs() - startedAtMs,
    target: { ...poller.state, version: inventory.version },
    store: keeper,
    workerProblem: dispatcher.problem,
    stalls: engine.stalls.view,
    queue,
    runningCount: dispatcher.runningCount,
  });
  const embedLimit = pLimit(config.embedConcurrency);
  const gpu = new GpuProbe({
    clock,
    isTargetHere: config.isTargetHere,
    usedVramBytes: () => inventory.loaded.reduce((sum, { size_vram }) => sum + size_vram, 0),
  });
  const readMetrics = async () => {
    const work = readWork({ ...engine, slots: engine.controls.slots });
    const beside = { work, embedLimit, version: foremanVersion };
    return await engine.metrics.tell(await takeReading(engine, beside));
  };
  const eventStreams = new EventStreams({ clock, log, streamsMax: config.eventStreamsMax });
  const readWholeStatus = async () => {
    const { open, unfed } = batching.runner.counts;
    return {
      ...{ ...readStatus(engine), batches: { open, unfed }, today: engine.history.totals() },
      watchdog: engine.watchdog.status,
      webhooks: await webhooks.status(),
    };
  };
  const app = createApp({
    ...{ ...config, ...engine, ...runtime, ...batching, readHealth, eventStreams },
    version: foremanVersion,
    readStatus: readWholeStatus,
    statusFeed: new StatusFeed({ clock, log, readStatus: readWholeStatus }),
    ...{ embedLimit, readMetrics, readGpu: () => gpu.read() },
    onChatEnded: (state) => engine.history.noteChat(state),
    onAnswered: (answered) => engine.metrics.http.note(answered),
    readWebhook: webhooks.read,
    backUp: () => engine.backups.make(),
    whyWaiting: (job, position) => whyWaiting(job, engine, position),
    runningCount: () => dispatcher.runningCount,
    progressOf: (id) => progressOf(id, engine),
    reception: buildReception(config, clients),
  });
  const http = new HttpServer({ app, clock, connections: overrides.connections });
  const lifeSign = new LifeSign({
    ...{ notifier, clock, log, watchdogMs },
    readStandstill: () => readStandstill(engine),
    readStatus: () => statusLine(readHealth()),
  });
  const lifecycle = new Lifecycle({
    ...{ clock, log },
    drain: () => {
      void engine.watchdog.stop();
      // Whoever comes now waits in the socket for the next foreman, instead of being refused.
      if (listenFd !== null) http.leave();
      void notifier.notify("STOPPING=1", extension(config.drainTimeoutMs), "STATUS=draining");
      return drain({ ...config, ...engine, http, eventStreams });
    },
    parts: partsOf(config, engine, { http, eventStreams, lifeSign, listenFd }),
  });
  return {
    get port() {
      return http.port;
    },
    start: async () => {
      await lifecycle.start();
      // Only now do the probes say so too, to whoever asks as soon as the manager knows.
      await lifeSign.start();
    },
    stop: () => lifecycle.stop(),
    reload: () => clients.reload(),
  };
}

/** Asks for the time that the settings allow, whatever TimeoutStopSec= says. */
function extension(drainTimeoutMs: number): Assignment {
  return `EXTEND_TIMEOUT_USEC=${(drainTimeoutMs + afterDrainMs) * 1_000}`;
}
