import { splitLoadKey } from "../target/load-key.ts";
import { type Runners, weightsOf } from "../target/runners.ts";
import type { PsModel } from "../wire/ollama.ts";
import { LatestMap } from "./latest-map.ts";

/** A new measurement counts for so much against the past: a load after a reboot is slow once. */
const smoothing = 0.3;

/** A load shorter than this is the target's bookkeeping: the runner was there. */
export const loadMsMin = 50;

/**
 * What is believed about the target's loaded runners. /api/ps names the model that a runner was
 * loaded by, not the options that it was loaded with, nor the other models that share it; so what
 * it says is joined with what was run last on the same weights.
 *
 * Load keys are kept as they were pinned, and asked for their runners when a belief is asked for:
 * what they mean becomes clearer when blueprints are learned.
 */
export class Residents {
  readonly #runners: Runners;
  /** Of each manifest its last pinned load key, in the order in which they ran last. */
  readonly #lastRun: LatestMap<string>;
  /** Measured load time by runner key. */
  readonly #swapMs: LatestMap<number>;
  #latest: { readonly loadKey: string; readonly afterReadings: number } | null = null;

  /** @param runnersMax of how many runners is remembered what they were and took */
  constructor(runners: Runners, runnersMax: number) {
    this.#runners = runners;
    this.#lastRun = new LatestMap(runnersMax);
    this.#swapMs = new LatestMap(runnersMax);
  }

  /**
   * A job of that pinned load key began to answer: its runner is loaded, and the others of its
   * weights are not.
   *
   * @param afterReadings how often the target's list of what is loaded had been read by then
   */
  noteWorking(loadKey: string, afterReadings: number): void {
    this.#lastRun.set(splitLoadKey(loadKey).model, loadKey);
    this.#latest = { loadKey, afterReadings };
  }

  /** The pinned load key that answered last; null if none did since the target came. */
  get latest(): string | null {
    return this.#latest?.loadKey ?? null;
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
    const lastOn = new Map<string, string>();
    for (const loadKey of this.#lastRun.values()) {
      const runnerKey = this.#runners.keyOf(loadKey);
      lastOn.set(weightsOf(runnerKey), runnerKey);
    }
    const keys = new Set<string>();
    for (const { digest } of loaded) {
      const plain = this.#runners.keyOf(digest);
      keys.add(lastOn.get(weightsOf(plain)) ?? plain);
    }
    // The reading after the next began after the answer; the next may have been under way.
    const isNews = this.#latest !== null && readings < this.#latest.afterReadings + 2;
    if (isNews && this.#latest !== null) keys.add(this.#runners.keyOf(this.#latest.loadKey));
    return keys;
  }
}
