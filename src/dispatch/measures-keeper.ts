import { z } from "zod";
import type { Clock } from "../clock.ts";
import { DocumentKeeper } from "../document-keeper.ts";
import type { Memory } from "../kept-document.ts";
import type { Log } from "../log.ts";
import type { Measures } from "./measures.ts";

const ms = z.number().nonnegative();

/** See `MeasuresDocument`. */
const shape = z.object({
  runs: z.array(z.tuple([z.string(), z.array(ms).min(1)])),
  loads: z.array(z.tuple([z.string(), ms])),
});

type MeasuresKeeperDeps = {
  readonly measures: Measures;
  readonly memory: Memory;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Carries what was measured into the next life, which else would foretell no start and spare no
 * slow load until it had measured anew.
 */
export function measuresKeeper({
  log,
  measures,
  ...deps
}: MeasuresKeeperDeps): DocumentKeeper<typeof shape> {
  return new DocumentKeeper({
    ...{ ...deps, name: "measures", shape, log: log.child({ component: "measures" }) },
    read: () => measures.document,
    restore: (kept) => measures.restore(kept),
  });
}
