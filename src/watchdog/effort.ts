import type { Clock, Timer } from "../clock.ts";

/** What of bringing a model back is under way. */
export type Step = "reading" | "uploading" | "registering" | "downloading" | "pulling";

/**
 * Longer than the longest step that says nothing: the target checks the hash of 40 GB from a slow
 * disk at 100 MB/s in less than seven minutes.
 */
const silenceMsMax = 10 * 60_000;

type EffortOptions = {
  readonly clock: Clock;
  /** Called when the step or its whole percents change. */
  readonly onProgress: () => void;
};

/** One attempt to bring a model back from one source: how far it is, and how to end it. */
export class Effort {
  readonly #options: EffortOptions;
  readonly #abort = new AbortController();
  #step: Step | null = null;
  #percent: number | null = null;
  #movedAtMs: number;
  #timer: Timer | null = null;
  #isStopped = false;

  constructor(options: EffortOptions) {
    this.#options = options;
    this.#movedAtMs = options.clock.monotonicMs();
    this.#watchSilence();
  }

  /** Aborts when foreman stops, or when nothing has moved for ten minutes. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get step(): Step | null {
    return this.#step;
  }

  /** Of the step; null where nobody knows. */
  get percent(): number | null {
    return this.#percent;
  }

  /** Something moved. `total` 0: nobody knows how much there is to do. */
  note(step: Step, done = 0, total = 0): void {
    this.#movedAtMs = this.#options.clock.monotonicMs();
    const percent = total > 0 ? Math.min(100, Math.floor((100 * done) / total)) : null;
    if (step === this.#step && percent === this.#percent) return;
    this.#step = step;
    this.#percent = percent;
    this.#options.onProgress();
  }

  /** Whether foreman itself ended it. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Ends what is under way, because foreman stops. */
  stop(): void {
    this.#isStopped = true;
    this.#end("foreman stops");
  }

  /** Nothing is under way any more. */
  over(): void {
    this.#timer?.cancel();
  }

  #end(why: string): void {
    this.#abort.abort(new Error(why));
    this.over();
  }

  #watchSilence(): void {
    const { clock } = this.#options;
    const restMs = this.#movedAtMs + silenceMsMax - clock.monotonicMs();
    if (restMs <= 0) this.#end(`nothing moved for ${silenceMsMax / 60_000} minutes`);
    else this.#timer = clock.after(restMs, () => this.#watchSilence());
  }
}
