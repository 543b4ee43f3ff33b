import type { Clock } from "../clock.ts";
import type { Ending, Job, JobId } from "../job.ts";
import type { Log } from "../log.ts";

/** A generation that was silent for `FOREMAN_STALL_TIMEOUT` and was cut. */
export type Stall = { readonly atMs: number; readonly jobId: JobId; readonly model: string };

type StallsDeps = { readonly clock: Clock; readonly log: Log };

/**
 * Remembers which generations hung. A target whose runner hangs lists its models as if nothing were
 * wrong, so this is the one sign of it: it counts as stuck until a generation comes to its end.
 */
export class Stalls {
  readonly #deps: StallsDeps;
  #count = 0;
  #inARow = 0;
  #sinceMs: number | null = null;
  #latest: Stall | null = null;

  constructor({ clock, log }: StallsDeps) {
    this.#deps = { clock, log: log.child({ component: "dispatcher" }) };
  }

  /**
   * Since foreman started; `inARow` with none in between that came to its end, the first of them at
   * `sinceMs` by the wall clock.
   */
  get view() {
    return {
      ...{ count: this.#count, inARow: this.#inARow },
      ...{ sinceMs: this.#sinceMs, latest: this.#latest },
    };
  }

  noteEnded({ job, ending }: { readonly job: Job; readonly ending: Ending }): void {
    if (ending.state === "done") {
      this.#inARow = 0;
      this.#sinceMs = null;
    }
    if (ending.reason !== "stalled") return;
    const { clock, log } = this.#deps;
    this.#count += 1;
    this.#inARow += 1;
    this.#latest = { atMs: clock.wallMs(), jobId: job.id, model: job.model };
    this.#sinceMs ??= this.#latest.atMs;
    log.error(
      { jobId: job.id, model: job.model, inARow: this.#inARow },
      "generation hung and was cut; its slot is free: if the next one hangs too, restart Ollama",
    );
  }
}
