import type { Clock, Timer } from "../../src/clock.ts";
import type { ManualClock } from "../support/manual-clock.ts";

/** The clock of one life of the daemon: when it is dead, nothing that it waited for comes. */
export class LifeClock implements Clock {
  readonly #clock: ManualClock;
  readonly #pending = new Set<Timer>();
  #isDead = false;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** How many calls are pending. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  die(): void {
    this.#isDead = true;
    for (const timer of this.#pending) timer.cancel();
    this.#pending.clear();
  }

  /** Whole, as the system's. */
  wallMs(): number {
    return Math.floor(this.#clock.wallMs());
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  after(ms: number, fn: () => void): Timer {
    if (this.#isDead) return { cancel: () => {} };
    const timer = this.#clock.after(ms, () => {
      this.#pending.delete(timer);
      fn();
    });
    this.#pending.add(timer);
    const cancel = () => {
      timer.cancel();
      this.#pending.delete(timer);
    };
    return { cancel };
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const onAbort = () => {
        timer.cancel();
        resolve();
      };
      const timer = this.after(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}
