import { setImmediate as settled } from "node:timers/promises";
import type { Clock, Timer } from "../../src/clock.ts";

type Due = { readonly atMs: number; readonly order: number; readonly fn: () => void };

/** A clock that stands still until the test moves it. */
export class ManualClock implements Clock {
  #nowMs = 1_000;
  #wallAheadMs = 1_800_000_000_000;
  #order = 0;
  readonly #due = new Set<Due>();

  wallMs(): number {
    return this.#wallAheadMs + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(ms: number, fn: () => void): Timer {
    this.#order += 1;
    const due = { atMs: this.#nowMs + ms, order: this.#order, fn };
    this.#due.add(due);
    return { cancel: () => void this.#due.delete(due) };
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = this.after(ms, resolve);
      signal?.addEventListener("abort", () => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** How many calls are pending: what a test holds against leaks. */
  get pendingCount(): number {
    return this.#due.size;
  }

  /**
   * Moves both readings on, making each call that falls due at its time, in order; what follows
   * from a call in promises has happened before the next.
   */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settled();
    for (let due = this.#next(untilMs); due !== null; due = this.#next(untilMs)) {
      this.#due.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.fn();
      await settled();
    }
    this.#nowMs = untilMs;
  }

  /** Lets everything happen that is due now. */
  settle(): Promise<void> {
    return this.advance(0);
  }

  /** Sets the wall clock on or back; durations do not see it. */
  jumpWall(ms: number): void {
    this.#wallAheadMs += ms;
  }

  #next(untilMs: number): Due | null {
    let next: Due | null = null;
    for (const due of this.#due) {
      if (due.atMs > untilMs) continue;
      if (!next || due.atMs < next.atMs || (due.atMs === next.atMs && due.order < next.order)) {
        next = due;
      }
    }
    return next;
  }
}
