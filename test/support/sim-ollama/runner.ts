import type { LoadOptions } from "./load-options.ts";
import type { ModelSpec } from "./model-spec.ts";
import { Slots } from "./slots.ts";

/** A loaded model: what it was loaded with, who uses it, and when it goes. */
export class Runner {
  readonly model: ModelSpec;
  readonly load: LoadOptions;
  readonly key: string;
  readonly slots: Slots;
  readonly unloaded: Promise<void>;
  readonly #whenIdle: (runner: Runner) => void;
  #resolveUnloaded: () => void = () => {};
  #timer: NodeJS.Timeout | null = null;
  #userCount = 0;
  /** How long it stays after its last request; the last request that says so decides. */
  keepAliveMs: number;
  /** Wall clock; null until it was idle for the first time. */
  expiresAtMs: number | null = null;
  /** Marked by the scheduler to make room. */
  isEvicted = false;

  constructor(of: {
    model: ModelSpec;
    load: LoadOptions;
    key: string;
    slots: number;
    keepAliveMs: number;
    /** Called when the runner is idle and its time is up. */
    whenIdle: (runner: Runner) => void;
  }) {
    this.model = of.model;
    this.load = of.load;
    this.key = of.key;
    this.slots = new Slots(of.slots);
    this.keepAliveMs = of.keepAliveMs;
    this.#whenIdle = of.whenIdle;
    this.unloaded = new Promise((resolve) => {
      this.#resolveUnloaded = resolve;
    });
  }

  get isIdle(): boolean {
    return this.#userCount === 0;
  }

  enter(): void {
    this.#userCount += 1;
    this.#stopTimer();
  }

  /** One request less; with the last one the keep-alive begins. */
  leave(): void {
    this.#userCount -= 1;
    if (this.#userCount > 0) return;
    if (this.keepAliveMs <= 0) this.#whenIdle(this);
    else this.#startTimer();
  }

  /** Unload as soon as nobody uses it. */
  expire(): void {
    this.keepAliveMs = 0;
    this.expiresAtMs = Date.now();
    this.#stopTimer();
    if (this.isIdle) this.#whenIdle(this);
  }

  markUnloaded(): void {
    this.#stopTimer();
    this.#resolveUnloaded();
  }

  #startTimer(): void {
    this.#stopTimer();
    this.expiresAtMs = Date.now() + this.keepAliveMs;
    // Node takes no longer timeouts; a model that stays for weeks stays for ever here.
    if (this.keepAliveMs > 2 ** 31 - 1) return;
    this.#timer = setTimeout(() => this.#whenIdle(this), this.keepAliveMs);
    this.#timer.unref();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
