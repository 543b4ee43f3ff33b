import type { JobClass } from "../job.ts";

/** What a client's token entitles it to, by its name; whoever has none has no limits. */
export type ClientRules = {
  /** In the fair share, more than 0. */
  weightOf(client: string): number;
  /** How many of its jobs may run at once; null: as many as there are slots. */
  slotsOf(client: string): number | null;
  /** The highest class that its jobs may have. */
  topClassOf(client: string): JobClass;
};
