import { LatestMap } from "./latest-map.ts";

/** So many of a runner's runs are remembered: enough for a mean, few enough to follow its use. */
const runsMax = 32;

type Measured = { readonly runsMs: readonly number[]; readonly meanMs: number };

/** How long jobs took of late on each runner, without loading. */
export class RunTimes {
  readonly #byRunner: LatestMap<Measured>;

  /** @param runnersMax of how many runners runs are remembered */
  constructor(runnersMax: number) {
    this.#byRunner = new LatestMap(runnersMax);
  }

  /** A job has taken `ms` from its start to its end. */
  note(runnerKey: string, ms: number): void {
    const known = this.#byRunner.get(runnerKey)?.runsMs ?? [];
    const runsMs = [...known, ms].slice(-runsMax);
    this.#byRunner.set(runnerKey, { runsMs, meanMs: mean(runsMs) });
  }

  /** Of each runner the runs that are remembered, in ms. */
  get all(): readonly (readonly [string, readonly number[]])[] {
    return [...this.#byRunner].map(([key, { runsMs }]) => [key, runsMs]);
  }

  /** What a job takes by its runner. The mean, because many of them are added up. */
  get meansMs(): ReadonlyMap<string, number> {
    return new Map([...this.#byRunner].map(([key, { meanMs }]) => [key, meanMs]));
  }

  /**
   * What is left of a run that has lasted `ranMs`: what was left on average of those that lasted
   * longer. 0 if none did: it may end at any moment. Null for a runner that never ran.
   */
  restMs(runnerKey: string, ranMs: number): number | null {
    const measured = this.#byRunner.get(runnerKey);
    if (measured === undefined) return null;
    const longer = measured.runsMs.filter((ms) => ms > ranMs);
    return longer.length === 0 ? 0 : mean(longer) - ranMs;
  }
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}
