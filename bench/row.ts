import type { Plot } from "./plot.ts";

export type Table = {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
};

/** What a row came to. */
export type RowResult = {
  readonly measured: string;
  /** `told`: there is no bar. */
  readonly verdict: "met" | "missed" | "told";
  readonly table: Table;
  /** Sentences: how it was measured in this run, and what stood out. */
  readonly method: string;
  /** Peers that this machine does not have, and what to do about it. */
  readonly missing: readonly string[];
  readonly plots?: readonly Plot[];
  /** Where the time goes, by a CPU profile of the same run, if one was taken. */
  readonly profile?: Table;
};

export type Bench = {
  /** Fewer rounds and shorter ones: for a look, not for a judgement. */
  readonly isQuick: boolean;
};

/** One row of the report. The number is the one it is called by on the command line. */
export type Row = {
  readonly number: number;
  readonly what: string;
  readonly yardstick: string;
  readonly bar: string;
  run(bench: Bench): Promise<RowResult>;
};
