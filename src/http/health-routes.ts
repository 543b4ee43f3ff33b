import type { Hono } from "hono";
import { isoTime } from "../clock.ts";
import type { Gpu } from "../gpu-probe.ts";
import type { Heartbeat } from "../store/store.ts";
import type { Integrity } from "../store/store-keeper.ts";
import type { HealthDocument, HealthSummary } from "../wire/probes.ts";
import type { AppEnv } from "./app-env.ts";

/** What the probes answer from; gathered by the composition root. */
export type Health = {
  readonly phase: "starting" | "serving" | "draining" | "stopped";
  readonly version: string;
  readonly uptimeMs: number;
  readonly target: {
    readonly presence: "present" | "doubted" | "away" | "returning";
    readonly degradedSinceMs: number | null;
    readonly lastPollAtMs: number | null;
    readonly lastError: string | null;
    readonly version: string | null;
  };
  readonly store: {
    readonly problem: string | null;
    /** The last heartbeat; null before the first. */
    readonly beat: Pick<Heartbeat, "commitMs" | "freeBytes"> | null;
    /** How much disk the store's log takes; null before the first heartbeat. */
    readonly logBytes: number | null;
    readonly integrity: Integrity;
  };
  /** What is wrong with the worker loop, or null. */
  readonly workerProblem: string | null;
  /** Generations that hung, one after another, the first of them at `sinceMs` by the wall clock. */
  readonly stalls: { readonly inARow: number; readonly sinceMs: number | null };
  readonly queue: {
    readonly depth: number;
    readonly isFull: boolean;
    /** Since when an operator wants no new work taken; null: there is none who does. */
    readonly closing: { readonly since: string } | null;
  };
  readonly runningCount: number;
};

/** How soon a probe or a client should ask again while foreman is not ready. */
const retryAfterS = "5";

type HealthDeps = { readonly readHealth: () => Health; readonly readGpu: () => Promise<Gpu> };

/**
 * `/livez`: the process answers. `/readyz`: it takes new work. `/healthz`: it can do its part; the
 * target being away is shown there and is no fault of foreman's, unless `?require=target` asks.
 * `/health`: the same in Velocity's four words.
 */
export function addHealthRoutes(app: Hono<AppEnv>, { readGpu, readHealth }: HealthDeps): void {
  app.get("/livez", (c) => c.json({ status: "ok" }));

  app.get("/readyz", (c) => {
    const health = readHealth();
    const reason = whyNotReady(health);
    if (reason === null) return c.json({ status: "ready" });
    return c.json({ status: "not ready", reason }, 503, { "Retry-After": retryAfterS });
  });

  app.get("/healthz", (c) => {
    const health = readHealth();
    const problem = health.store.problem ?? health.workerProblem;
    const isTargetMissed =
      c.req.query("require") === "target" && health.target.presence !== "present";
    const statusCode = problem !== null || isTargetMissed ? 503 : 200;
    return c.json(healthDocument(health, problem), statusCode);
  });

  app.get("/health", async (c) => {
    const health = summary(readHealth(), await readGpu());
    return c.json(health, health.status === "failing" ? 503 : 200);
  });
}

function whyNotReady({ phase, queue, store }: Health): string | null {
  if (phase !== "serving") return phase;
  if (store.problem !== null) return store.problem;
  // Not by whom: nobody who asks here has shown a token.
  if (queue.closing !== null) {
    return `draining since ${queue.closing.since}: an operator wants no new work taken`;
  }
  return queue.isFull ? "the queue is full" : null;
}

function summary({ store, target, workerProblem }: Health, gpu: Gpu): HealthSummary {
  const isStoreUp = store.problem === null;
  const isTargetUp = target.presence === "present";
  const isFailing = !isStoreUp || workerProblem !== null;
  return {
    status: isFailing ? "failing" : isTargetUp ? "ok" : "degraded",
    database: isStoreUp ? "connected" : "failing",
    ollama: isTargetUp ? "available" : "unavailable",
    gpu,
  };
}

function healthDocument(health: Health, problem: string | null): HealthDocument {
  const { queue, stalls, store, target } = health;
  return {
    status: problem === null ? "ok" : "failing",
    ...(problem !== null && { problem }),
    degraded: target.degradedSinceMs !== null || target.presence !== "present" || stalls.inARow > 0,
    degraded_since: isoTime(target.degradedSinceMs ?? stalls.sinceMs),
    phase: health.phase,
    version: health.version,
    uptime_s: Math.round(health.uptimeMs / 1_000),
    target: {
      presence: target.presence,
      version: target.version,
      last_poll_at: isoTime(target.lastPollAtMs),
      last_error: target.lastError,
      stalled: stalls.inARow,
    },
    queue: { waiting: queue.depth, running: health.runningCount },
    store: {
      commit_ms: store.beat && Math.round(store.beat.commitMs * 100) / 100,
      free_bytes: store.beat?.freeBytes ?? null,
      wal_bytes: store.logBytes,
      integrity: store.integrity,
    },
  };
}
