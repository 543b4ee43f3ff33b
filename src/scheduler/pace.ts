import type { LaneSnapshot } from "./snapshot.ts";

/** Whose job it is, and on which runner. */
type Claim = Pick<LaneSnapshot, "class" | "runnerKey" | "client">;

/** What is measured of the time that jobs take, and how it is charged. */
export type Pace = {
  /** What a job takes by its runner, in ms, without loading; absent: none was measured. */
  readonly runMs: ReadonlyMap<string, number>;
  /** What runs, with what is expected to be left of it, in ms; null: nobody knows. */
  readonly running: readonly (Claim & { readonly restMs: number | null })[];
  /** By what a client's time on a runner is divided, more than 0: see `Share`. */
  readonly weightOf: (claim: Claim) => number;
};
