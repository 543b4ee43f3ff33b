import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { type Inventory, type PolledRoute, polledRoutes } from "./inventory.ts";
import { type PollProblem, pollRoute } from "./poll-route.ts";
import { Refresher } from "./refresher.ts";
import type { Target } from "./target.ts";

/** Unanswered polls in a row before the target counts as away; a refused connection is enough. */
const missesMax = 2;

/** How soon an absent target is asked again: at first quickly, for a restart takes seconds. */
const probeMs = [500, 1_000, 2_000, 5_000];

/** A tenth more or less, so that several daemons do not ask a returning target in step. */
const jitter = 0.1;

export type TargetState = {
  /**
   * `doubted`: it dropped a connection, and is being asked whether it is there. `returning`: it
   * answers again, and what must be loaded before work goes on is being loaded.
   */
  readonly presence: "present" | "doubted" | "away" | "returning";
  /** Monotonic ms at which it went away; null while it is present. */
  readonly awaySinceMs: number | null;
  /** Wall clock, for people; null while nothing is wrong. */
  readonly degradedSinceMs: number | null;
  readonly lastPollAtMs: number | null;
  readonly lastError: string | null;
};

type PollerOptions = {
  readonly target: Target;
  readonly inventory: Inventory;
  readonly clock: Clock;
  readonly log: Log;
  readonly intervalMs: number;
  /** A number from 0 to 1, for the jitter. */
  readonly random: () => number;
  /** Called on each return, the first included; work is released when it resolves. */
  readonly onReturn: () => Promise<void>;
  /** Called whenever the state or the inventory may have changed. */
  readonly onChange: () => void;
};

/** Keeps the inventory true, and knows whether the target is there. */
export class Poller {
  readonly #options: PollerOptions;
  readonly #log: Log;
  #state: TargetState = {
    presence: "away",
    awaySinceMs: null,
    degradedSinceMs: null,
    lastPollAtMs: null,
    lastError: null,
  };
  #misses = 0;
  #probes = 0;
  #returns = 0;
  readonly #all = new Refresher(() => this.#poll());
  readonly #loaded = new Refresher(() => this.#pollLoaded());
  readonly #wanted = { all: 0, loaded: 0 };
  #loadedChangedAtMs = 0;
  #timer: { cancel(): void } | null = null;
  #stop = new AbortController();

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "poller" });
  }

  get state(): TargetState {
    return this.#state;
  }

  /** Monotonic ms at which what is loaded was last seen to change. */
  get loadedChangedAtMs(): number {
    return this.#loadedChangedAtMs;
  }

  /** Cancels the polls under way; nothing is called afterwards. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#timer?.cancel();
    await Promise.all([this.#all.pending, this.#loaded.pending]);
  }

  /** Asks the target for everything, beginning after this call. Never rejects. */
  refresh(): Promise<void> {
    return this.#want("all");
  }

  /** Reads what is loaded, alone: cheap enough to be done after each job. Never rejects. */
  refreshLoaded(): Promise<void> {
    return this.#want("loaded");
  }

  /**
   * Resolves when what somebody wanted read anew of a route has been read, or after `withinMs`; at
   * once if nobody did.
   */
  async caughtUp(route: PolledRoute, withinMs: number): Promise<void> {
    const isLoadedWanted = route === "/api/ps" && this.#wanted.loaded > 0;
    if (this.#wanted.all === 0 && !isLoadedWanted) return;
    const read = Promise.all([this.#all.pending, isLoadedWanted && this.#loaded.pending]);
    const enough = new AbortController();
    const patience = this.#options.clock.sleep(withinMs, enough.signal);
    await Promise.race([read, patience]);
    enough.abort();
  }

  /** A request lost its connection: nothing more is sent before the target has answered a poll. */
  noteLost(): void {
    if (this.#state.presence !== "present") return;
    this.#state = { ...this.#state, presence: "doubted" };
    void this.refresh();
  }

  /** A request found no connection: the target is away, and is probed from now on. */
  noteUnreachable(message: string): void {
    if (this.#state.presence === "away" || this.#stop.signal.aborted) return;
    this.#misses = missesMax;
    this.#goAway(message);
    this.#scheduleNext();
  }

  async #want(what: "all" | "loaded"): Promise<void> {
    this.#wanted[what] += 1;
    await (what === "all" ? this.#all : this.#loaded).refresh();
    this.#wanted[what] -= 1;
  }

  async #poll(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#timer?.cancel();
    const problems = await Promise.all(polledRoutes.map((route) => this.#ask(route)));
    if (this.#stop.signal.aborted) return;
    const problem = problems.find((found) => found !== null) ?? null;
    const isAnswered = problems.some((found) => found === null || found.isAnswer);
    if (isAnswered) this.#noteAnswered(problem?.message ?? null);
    else this.#noteMissed(problem?.message ?? "no answer", problem?.isRefusal ?? false);
    this.#options.onChange();
    this.#scheduleNext();
  }

  async #pollLoaded(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    await this.#ask("/api/ps");
    this.#options.onChange();
  }

  async #ask(route: PolledRoute): Promise<PollProblem | null> {
    const { clock, inventory, target } = this.#options;
    const before = loadedText(inventory);
    const problem = await pollRoute(route, { target, inventory, clock, signal: this.#stop.signal });
    if (loadedText(inventory) !== before) this.#loadedChangedAtMs = clock.monotonicMs();
    return problem;
  }

  #noteAnswered(problem: string | null): void {
    const { clock, target } = this.#options;
    this.#misses = 0;
    this.#probes = 0;
    if (problem !== null && problem !== this.#state.lastError) {
      this.#log.warn({ problem }, "target answers badly: the last good inventory is kept");
    }
    const { presence } = this.#state;
    const isReturn = presence === "away";
    this.#state = {
      ...this.#state,
      presence: isReturn ? "returning" : presence === "doubted" ? "present" : presence,
      degradedSinceMs: problem === null ? null : (this.#state.degradedSinceMs ?? clock.wallMs()),
      lastPollAtMs: clock.wallMs(),
      lastError: problem,
    };
    if (!isReturn) return;
    this.#log.info({ origin: target.origin }, "target present");
    void this.#release();
  }

  /** Not part of the poll: loading what must be loaded may take longer than the poll interval. */
  async #release(): Promise<void> {
    this.#returns += 1;
    const turn = this.#returns;
    await this.#options.onReturn();
    // It may have gone and come back meanwhile: then another turn has begun its own loading.
    const isOver = turn !== this.#returns || this.#stop.signal.aborted;
    if (this.#state.presence !== "returning" || isOver) return;
    this.#state = { ...this.#state, presence: "present", awaySinceMs: null };
    this.#options.onChange();
  }

  #noteMissed(message: string, isRefusal: boolean): void {
    const { clock } = this.#options;
    this.#misses += isRefusal ? missesMax : 1;
    if (this.#misses >= missesMax) this.#goAway(message);
    this.#state = {
      ...this.#state,
      degradedSinceMs: this.#state.degradedSinceMs ?? clock.wallMs(),
      lastPollAtMs: clock.wallMs(),
      lastError: message,
    };
  }

  #goAway(message: string): void {
    // At start the target is away without anybody having said so.
    if (this.#state.presence === "away" && this.#state.awaySinceMs !== null) return;
    const { clock, inventory, onChange, target } = this.#options;
    this.#log.warn({ origin: target.origin, problem: message }, "target away: work waits for it");
    inventory.forgetLoaded();
    this.#state = {
      ...this.#state,
      presence: "away",
      awaySinceMs: this.#state.awaySinceMs ?? clock.monotonicMs(),
      degradedSinceMs: this.#state.degradedSinceMs ?? clock.wallMs(),
      lastError: message,
    };
    onChange();
  }

  #scheduleNext(): void {
    if (this.#stop.signal.aborted) return;
    const { clock, intervalMs, random } = this.#options;
    const isMissing = this.#state.presence === "away" || this.#misses > 0;
    const probe = probeMs[Math.min(this.#probes, probeMs.length - 1)] ?? intervalMs;
    const waitMs = isMissing ? Math.min(probe, intervalMs) : intervalMs;
    if (isMissing) this.#probes += 1;
    this.#timer?.cancel();
    this.#timer = clock.after(waitMs * (1 - jitter + 2 * jitter * random()), () => {
      void this.#all.refresh();
    });
  }
}

/**
 * What is loaded, as a sign of life while a generation is silent. Without the expiry, which every
 * embedding moves: a runner that hangs must not look alive because of its neighbours.
 */
function loadedText({ loaded }: Inventory): string {
  return loaded.map(({ digest, size_vram }) => `${digest} ${size_vram}`).join();
}
