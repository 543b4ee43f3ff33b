import type { Exchange } from "./exchange.ts";
import type { Journal } from "./journal.ts";
import { type LoadOptions, needsReload, runnerKeyOf } from "./load-options.ts";
import { isCapable, type ModelSpec } from "./model-spec.ts";
import type { Pace } from "./pace.ts";
import { Runner } from "./runner.ts";

export type SchedulerLimits = {
  readonly maxQueue: number;
  readonly maxLoadedModels: number;
  readonly numParallel: number;
  readonly keepAliveMs: number;
  readonly vramBytes: number;
  readonly unloadMs: number;
  /** Ollama issue 17408: a keep_alive undoes an eviction that waits for the runner to be idle. */
  readonly hasKeepAliveBug: boolean;
};

/** A runner for the use of one request, or the error that Ollama answers with. */
export type Grant =
  | { readonly kind: "runner"; readonly runner: Runner }
  | { readonly kind: "error"; readonly status: number; readonly message: string };

type Wanted = {
  readonly exchange: Exchange;
  readonly model: ModelSpec;
  readonly load: LoadOptions;
  /** Null: the request does not say. */
  readonly keepAliveMs: number | null;
};

type Pending = Wanted & { readonly settle: (grant: Grant) => void };

const queueFull = "server busy, please try again.  maximum pending requests exceeded";

/**
 * Ollama's scheduler (server/sched.go of 0.33): a request for a loaded runner passes at once; all
 * others stand in one queue whose head evicts and loads, one at a time.
 */
export class Scheduler {
  readonly #limits: SchedulerLimits;
  readonly #journal: Journal;
  readonly #pace: Pace;
  readonly #loaded = new Map<string, Runner>();
  readonly #queue: Pending[] = [];
  #isPumping = false;
  #isStopped = false;

  constructor(limits: SchedulerLimits, journal: Journal, pace: Pace) {
    this.#limits = limits;
    this.#journal = journal;
    this.#pace = pace;
  }

  /** Without the one that is being loaded: /api/ps does not show it either (measured). */
  get runners(): readonly Runner[] {
    return [...this.#loaded.values()];
  }

  /** The runner stays the request's until its exchange closes. */
  grant(wanted: Wanted): Promise<Grant> {
    const runner = this.#loaded.get(wanted.model.blob);
    if (runner !== undefined && !needsReload(runner, wanted)) {
      return Promise.resolve(this.#use(runner, wanted));
    }
    if (this.#queue.length >= this.#limits.maxQueue) {
      this.#note("queue-full", wanted);
      return Promise.resolve({ kind: "error", status: 503, message: queueFull });
    }
    return new Promise((settle) => {
      this.#queue.push({ ...wanted, settle });
      if (this.#isPumping) this.#note("queue-wait", wanted);
      else void this.#pump();
    });
  }

  /** Unloads the model's runner as soon as it is idle. */
  expire(model: ModelSpec): void {
    this.#loaded.get(model.blob)?.expire();
  }

  expireAll(): void {
    for (const runner of [...this.#loaded.values()]) runner.expire();
  }

  /** The process is gone: nothing is loaded, and nobody is answered any more. */
  stop(): void {
    this.#isStopped = true;
    this.#queue.length = 0;
    for (const runner of this.#loaded.values()) runner.markUnloaded();
    this.#loaded.clear();
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    for (;;) {
      const pending = this.#queue.shift();
      if (pending === undefined) break;
      // One whose client left is dropped at its turn, not before: it fills the queue until then.
      if (!pending.exchange.isGone) pending.settle(await this.#place(pending));
    }
    this.#isPumping = false;
  }

  async #place(wanted: Wanted): Promise<Grant> {
    for (;;) {
      const runner = this.#loaded.get(wanted.model.blob);
      if (runner !== undefined && !needsReload(runner, wanted)) {
        return this.#use(runner, wanted);
      }
      const victim = runner ?? this.#victimFor(wanted.model);
      if (victim === null) return await this.#load(wanted);
      victim.isEvicted = true;
      victim.expire();
      await victim.unloaded;
      if (this.#isStopped) return { kind: "error", status: 499, message: "request canceled" };
      await this.#pace.sleep(this.#limits.unloadMs, wanted.exchange);
    }
  }

  /** Among the idle ones that with the shortest keep-alive; if none is idle, that of them all. */
  #victimFor(model: ModelSpec): Runner | null {
    const runners = [...this.#loaded.values()];
    const takenBytes = runners.reduce((sum, each) => sum + each.model.sizeBytes, 0);
    const freeBytes = Math.max(0, this.#limits.vramBytes - takenBytes);
    const fits = model.sizeBytes <= freeBytes * 0.8;
    const isFull = runners.length >= this.#limits.maxLoadedModels;
    if (runners.length === 0 || (fits && !isFull)) return null;
    runners.sort((a, b) => a.keepAliveMs - b.keepAliveMs || (a.model.blob < b.model.blob ? -1 : 1));
    return runners.find((each) => each.isIdle) ?? runners[0] ?? null;
  }

  async #load(wanted: Wanted): Promise<Grant> {
    const { exchange, model } = wanted;
    const runner = this.#newRunner(wanted);
    this.#note("load-start", wanted);
    await this.#pace.sleep(model.loadMs, exchange);
    const fault = exchange.strike?.fault;
    if (exchange.isGone) {
      this.#note("load-end", wanted, "cancelled");
      return { kind: "error", status: 499, message: "request canceled" };
    }
    if (fault?.kind === "load-failure") {
      this.#note("load-end", wanted, "failed");
      return { kind: "error", status: fault.status ?? 500, message: fault.message };
    }
    this.#loaded.set(model.blob, runner);
    this.#note("load-end", wanted, "complete");
    return this.#use(runner, wanted);
  }

  #newRunner(wanted: Wanted): Runner {
    const { model, load } = wanted;
    return new Runner({
      model,
      load,
      key: runnerKeyOf(model, load),
      slots: isCapable(model, "completion") ? this.#limits.numParallel : 1,
      keepAliveMs: wanted.keepAliveMs ?? this.#limits.keepAliveMs,
      whenIdle: (idle) => this.#unload(idle),
    });
  }

  #use(runner: Runner, wanted: Wanted): Grant {
    runner.enter();
    const isKept = !runner.isEvicted || this.#limits.hasKeepAliveBug;
    if (wanted.keepAliveMs !== null && isKept) runner.keepAliveMs = wanted.keepAliveMs;
    wanted.exchange.whenClosed(() => runner.leave());
    return { kind: "runner", runner };
  }

  #unload(runner: Runner): void {
    if (this.#loaded.get(runner.model.blob) !== runner || !runner.isIdle) return;
    this.#loaded.delete(runner.model.blob);
    const reason = runner.isEvicted ? "make room" : "expired";
    const { model, key } = runner;
    this.#journal.record({ kind: "evict", model: model.name, runnerKey: key, reason });
    runner.markUnloaded();
  }

  #note(
    kind: "queue-wait" | "queue-full" | "load-start" | "load-end",
    wanted: Wanted,
    outcome?: "complete" | "cancelled" | "failed",
  ): void {
    this.#journal.record({
      kind,
      requestId: wanted.exchange.id,
      route: wanted.exchange.route,
      model: wanted.model.name,
      runnerKey: runnerKeyOf(wanted.model, wanted.load),
      ...(outcome && { outcome }),
    });
  }
}
