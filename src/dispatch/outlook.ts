import { type Forecast, forecast } from "../scheduler/forecast.ts";
import type { Pace } from "../scheduler/pace.ts";
import type { ScheduleLimits, Snapshot } from "../scheduler/snapshot.ts";
import type { Measures } from "./measures.ts";
import { lanesOfMissing, type MissingDeps } from "./missing-models.ts";
import type { Slots } from "./slots.ts";
import { type SnapshotSources, takeSnapshot } from "./take-snapshot.ts";

/** A forecast serves everyone who asks within this time, unless something changes. */
const keptMs = 1_000;

type OutlookOptions = Omit<SnapshotSources, "kept" | "running" | "residents"> &
  MissingDeps & {
    readonly scheduleLimits: ScheduleLimits;
    readonly slots: Slots;
    readonly measures: Measures;
  };

/** How things stand, and what is to be expected of them. */
export class Outlook {
  readonly #options: OutlookOptions;
  #forecast: { readonly startsIn: Forecast; readonly atMs: number } | null = null;

  constructor(options: OutlookOptions) {
    this.#options = options;
  }

  /**
   * All that the scheduler decides on, now, but for the lanes (by key) that are kept from it.
   * Whoever asks is about to change it.
   */
  snapshot(kept: ReadonlyMap<string, unknown>): Snapshot {
    this.#forecast = null;
    return this.#take(kept);
  }

  /**
   * In how many ms the job at `position` (from 1) of a lane should start; null: unknown, as for
   * what waits for a model that the target lacks.
   */
  startsInMs(laneKey: string, position: number): number | null {
    const { accounts, clock, measures, queue, scheduleLimits, slots } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#forecast === null || nowMs - this.#forecast.atMs >= keptMs) {
      const weightOf: Pace["weightOf"] = (claim) => accounts.weightOf(claim);
      const pace = { ...measures.pace(slots.all), weightOf };
      const snapshot = this.#take(lanesOfMissing(queue.lanes(), this.#options));
      const startsIn = forecast(snapshot, scheduleLimits, pace);
      this.#forecast = { startsIn, atMs: nowMs };
    }
    const inMs = this.#forecast.startsIn(laneKey, position);
    return inMs === null ? null : Math.max(0, inMs - (nowMs - this.#forecast.atMs));
  }

  #take(kept: ReadonlyMap<string, unknown>): Snapshot {
    const { measures, slots } = this.#options;
    const { residents } = measures;
    return takeSnapshot({ ...this.#options, kept, running: slots.all, residents });
  }
}
