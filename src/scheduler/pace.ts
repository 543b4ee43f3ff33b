import type { LaneSnapshot } from "./snapshot.ts";

/** What is measured of the time that jobs take. */
export type Pace = {
  /** What a job takes by its runner, in ms, without loading; absent: none was measured. */
  readonly runMs: ReadonlyMap<string, number>;
  /** What runs, with what is expected to be left of it, in ms; null: nobody knows. */
  readonly running: readonly (Pick<LaneSnapshot, "class" | "runnerKey" | "client"> & {
    readonly restMs: number | null;
  })[];
};
