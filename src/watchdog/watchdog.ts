import { type Clock, isoTime, type Timer } from "../clock.ts";
import type { Log } from "../log.ts";
import type { RequiredModel } from "../models-setting.ts";
import type { Inventory } from "../target/inventory.ts";
import { canonicalModelName } from "../target/model-name.ts";
import type { Poller } from "../target/poller.ts";
import type { WatchedModel } from "../wire/status.ts";
import type { BroughtBack, OnSource } from "./bring-back.ts";
import { checkMs, nextToBringBack, restMsAfter } from "./decide.ts";
import { Effort } from "./effort.ts";
import type { SourceName } from "./sources.ts";

type WatchdogOptions = {
  readonly models: readonly RequiredModel[];
  readonly inventory: Inventory;
  readonly poller: Pick<Poller, "state">;
  readonly clock: Clock;
  readonly log: Log;
  readonly isDraining: () => boolean;
  /** Brings one model back; never rejects. */
  readonly bringBack: (model: RequiredModel, onSource: OnSource) => Promise<BroughtBack>;
  /** What is told of a missing model has changed. */
  readonly onProgress: () => void;
  /** The target has the model again. */
  readonly onBack: (model: string) => void;
};

/** What is known of one required model. Monotonic ms. */
type Watched = {
  readonly model: RequiredModel;
  notBeforeMs: number;
  /** Attempts in vain since it was last there. */
  failures: number;
  problems: readonly string[];
  lastBack: WatchedModel["last_back"];
};

type Work = {
  readonly watched: Watched;
  readonly source: SourceName;
  readonly effort: Effort;
};

/**
 * Has the required models brought back that the target lost, one at a time. It does so beside all
 * that runs: it takes no slot, and loads, unloads, deletes and restarts nothing.
 */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #log: Log;
  readonly #watched: readonly Watched[];
  #work: Work | null = null;
  #pending: Promise<void> | null = null;
  #timer: Timer | null = null;
  #isStopped = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "watchdog" });
    const fresh = { notBeforeMs: 0, failures: 0, problems: [], lastBack: null };
    this.#watched = options.models.map((model) => ({ model, ...fresh }));
  }

  /** Looks every minute from now on, and when a rest is over. */
  start(): void {
    this.#timer?.cancel();
    if (this.#watched.length === 0 || this.#isStopped) return;
    const nowMs = this.#options.clock.monotonicMs();
    const restsMs = this.#watched.map(({ notBeforeMs }) => notBeforeMs - nowMs);
    const nextMs = Math.min(checkMs, ...restsMs.filter((restMs) => restMs > 0));
    this.#timer = this.#options.clock.after(nextMs, () => {
      this.check();
      this.start();
    });
  }

  /** Ends what is under way, at once. Idempotent; resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#work?.effort.stop();
    await this.#pending;
  }

  /** Looks now, for the target has just returned or a minute has passed. */
  check(): void {
    const { clock, inventory, isDraining, poller } = this.#options;
    const { lastError, presence } = poller.state;
    for (const watched of this.#watched) this.#forgetIfPresent(watched);
    const isThere = presence === "present" || presence === "returning";
    const next = nextToBringBack({
      nowMs: clock.monotonicMs(),
      isListingFresh: isThere && lastError === null,
      isDraining: this.#isStopped || isDraining(),
      isAtWork: this.#pending !== null,
      models: this.#watched.map(({ model: { name }, notBeforeMs }) => {
        return { name, notBeforeMs, isMissing: inventory.isMissing(name) };
      }),
    });
    const watched = this.#watched.find(({ model }) => model.name === next);
    if (watched !== undefined) this.#pending = this.#bringBack(watched);
  }

  /** What becomes of that missing model, for those that wait for it; null if nobody watches it. */
  describe(model: string): string | null {
    const watched = this.#watched.find(({ model: { name } }) => isSame(name, model));
    if (watched === undefined) return null;
    if (this.#work?.watched === watched) {
      const { effort, source } = this.#work;
      const percent = effort.percent === null ? "" : `: ${effort.percent} %`;
      return `being brought back${percent} (${source}, ${effort.step ?? "starting"})`;
    }
    const [problem] = watched.problems;
    if (problem === undefined) return "to be brought back soon";
    const restMs = watched.notBeforeMs - this.#options.clock.monotonicMs();
    const restS = Math.max(1, Math.ceil(restMs / 1_000));
    return `not brought back (${problem}); tried again in ${restS} s`;
  }

  /** Each required model, and what is done about it. */
  get status(): WatchedModel[] {
    const { clock, inventory } = this.#options;
    const nowMs = clock.monotonicMs();
    return this.#watched.map((watched) => {
      const { failures, lastBack, model, notBeforeMs, problems } = watched;
      const work = this.#work?.watched === watched ? this.#work : null;
      const isMissing = inventory.isMissing(model.name);
      const isResting = isMissing && work === null;
      const state = work !== null ? "returning" : isMissing ? "missing" : "present";
      return {
        model: model.name,
        state,
        source: work?.source ?? null,
        step: work?.effort.step ?? null,
        percent: work?.effort.percent ?? null,
        failures,
        problems: [...problems],
        next_try_ms: isResting ? Math.round(Math.max(0, notBeforeMs - nowMs)) : null,
        last_back: lastBack,
      };
    });
  }

  async #bringBack(watched: Watched): Promise<void> {
    const { bringBack, clock, onBack } = this.#options;
    const { model } = watched;
    const sinceMs = clock.monotonicMs();
    this.#log.warn({ model: model.name }, "required model missing: it is being brought back");
    const outcome = await bringBack(model, (source) => this.#begin(watched, source));
    this.#work = null;
    this.#pending = null;
    if (outcome.kind === "back") {
      const tookMs = Math.round(clock.monotonicMs() - sinceMs);
      const { source } = outcome;
      this.#log.info({ model: model.name, source, tookMs }, "required model brought back");
      watched.lastBack = { at: isoTime(clock.wallMs()), source, took_ms: tookMs };
      this.#note(watched, 0, []);
      onBack(model.name);
    } else if (outcome.kind === "failed") {
      this.#note(watched, watched.failures + 1, outcome.problems);
      const { failures, problems } = watched;
      const restMs = restMsAfter(failures);
      if (this.#timer !== null) this.start();
      this.#log.error(
        { model: model.name, failures, problems, restMs },
        "required model not brought back: see its sources in FOREMAN_MODELS_FILE",
      );
    } else {
      this.#log.info({ model: model.name }, "bringing back broken off");
    }
    this.#options.onProgress();
    // The next one need not wait for the minute; after a break the target is not there.
    if (outcome.kind !== "broken-off") this.check();
  }

  /** Somebody else may have brought it back: what went wrong says nothing about the next time. */
  #forgetIfPresent(watched: Watched): void {
    if (watched.failures === 0 || this.#options.inventory.isMissing(watched.model.name)) return;
    this.#note(watched, 0, []);
  }

  #note(watched: Watched, failures: number, problems: readonly string[]): void {
    watched.failures = failures;
    watched.problems = problems;
    const restMs = failures === 0 ? 0 : restMsAfter(failures);
    watched.notBeforeMs = this.#options.clock.monotonicMs() + restMs;
  }

  #begin(watched: Watched, source: SourceName): Effort {
    const { clock, onProgress } = this.#options;
    const log = this.#log.child({ model: watched.model.name, source });
    let told = "";
    const effort = new Effort({
      clock,
      onProgress: () => {
        const { percent, step } = effort;
        const tenths = percent === null ? "" : Math.floor(percent / 10);
        if (told !== `${step} ${tenths}`) log.info({ step, percent }, "required model on its way");
        told = `${step} ${tenths}`;
        onProgress();
      },
    });
    if (this.#isStopped) effort.stop();
    this.#work = { watched, source, effort };
    return effort;
  }
}

function isSame(one: string, other: string): boolean {
  return canonicalModelName(one) === canonicalModelName(other);
}
