import { digestOf, plainRunnerKey } from "../target/runner-key.ts";
import type { PsModel } from "../wire/ollama.ts";
import { LatestMap } from "./latest-map.ts";

/** A new measurement counts for so much against the past: a load after a reboot is slow once. */
const smoothing = 0.3;

/** A load shorter than this is the target's bookkeeping: the runner was there. */
export const loadMsMin = 50;

/**
 * What is believed about the target's loaded runners. /api/ps names models, not the options that
 * they were loaded with, so what it says is joined with what was run last on each model.
 */
export class Residents {
  /** By model digest: the runner key that ran on it last. Bounded by the target's models. */
  readonly #lastRun = new Map<string, string>();
  /** Measured load time by runner key. */
  readonly #swapMs: LatestMap<number>;
  #latest: { readonly runnerKey: string; readonly afterReadings: number } | null = null;

  /** @param runnersMax of how many runners the load time is remembered */
  constructor(runnersMax: number) {
    this.#swapMs = new LatestMap(runnersMax);
  }

  /**
   * A job of that runner began to answer: it is loaded, and its model's other runners are not.
   *
   * @param afterReadings how often the target's list of what is loaded had been read by then
   */
  noteWorking(runnerKey: string, afterReadings: number): void {
    this.#lastRun.set(digestOf(runnerKey), runnerKey);
    this.#latest = { runnerKey, afterReadings };
  }

  /** The runner that answered last; null if none did since the target came. */
  get latest(): string | null {
    return this.#latest?.runnerKey ?? null;
  }

  /** The target went away: nothing is loaded when it returns. */
  forget(): void {
    this.#latest = null;
  }

  /** Takes in how long the target says that a job waited for its runner; null if it did not say. */
  noteLoad(runnerKey: string, loadMs: number | null): void {
    if (loadMs === null || loadMs < loadMsMin) return;
    const known = this.#swapMs.get(runnerKey) ?? loadMs;
    this.#swapMs.set(runnerKey, known + smoothing * (loadMs - known));
  }

  get swapMs(): ReadonlyMap<string, number> {
    return this.#swapMs;
  }

  /**
   * The runner keys that are loaded: the target's own list, and, until a list that was asked for
   * later says otherwise, the runner that answered last. A model that was loaded for somebody else,
   * with options that nobody here saw, counts as its plain runner.
   */
  runnerKeys(loaded: readonly PsModel[], readings: number): ReadonlySet<string> {
    const keys = new Set(
      loaded.map(({ digest }) => this.#lastRun.get(digest) ?? plainRunnerKey(digest)),
    );
    // The reading after the next began after the answer; the next may have been under way.
    const isNews = this.#latest !== null && readings < this.#latest.afterReadings + 2;
    if (isNews && this.#latest !== null) keys.add(this.#latest.runnerKey);
    return keys;
  }
}
