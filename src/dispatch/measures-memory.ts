import { z } from "zod";
import type { Clock, Timer } from "../clock.ts";
import { keepDocument, type Memory, recallDocument } from "../kept-document.ts";
import type { Log } from "../log.ts";
import type { Measures } from "./measures.ts";

/** How often what was learned is written down: a crash forgets no more of it. */
const keepEveryMs = 60_000;

const documentName = "measures";

const ms = z.number().nonnegative();

/** See `MeasuresDocument`. */
const document = z.object({
  runs: z.array(z.tuple([z.string(), z.array(ms).min(1)])),
  loads: z.array(z.tuple([z.string(), ms])),
});

type MeasuresMemoryOptions = {
  readonly measures: Measures;
  readonly memory: Memory;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Carries what was measured into the next life, which else would foretell no start and spare no
 * slow load until it had measured anew.
 */
export class MeasuresMemory {
  readonly #options: MeasuresMemoryOptions;
  readonly #log: Log;
  #keptRuns = 0;
  #timer: Timer | null = null;

  constructor(options: MeasuresMemoryOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "measures" });
  }

  /** Brings back what an earlier life wrote down. */
  async recall(): Promise<void> {
    const { measures, memory } = this.#options;
    const kept = await recallDocument(memory, documentName, document, (cause) =>
      this.#log.warn({ err: cause }, "measures not readable: they begin anew"),
    );
    if (kept !== null) measures.restore(kept);
  }

  start(): void {
    this.#timer = this.#options.clock.after(keepEveryMs, () => {
      void this.#keep();
      this.start();
    });
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#keep();
  }

  async #keep(): Promise<void> {
    const { measures, memory } = this.#options;
    const { runCount } = measures;
    if (runCount === this.#keptRuns) return;
    try {
      await keepDocument(memory, documentName, measures.document);
      this.#keptRuns = runCount;
    } catch (cause) {
      this.#log.warn({ err: cause }, "measures not written down");
    }
  }
}
