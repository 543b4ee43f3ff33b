import { emptyStep, type Step } from "./step.ts";

type SeriesOptions = { readonly stepMs: number; readonly stepsMax: number };

/** Steps of equal length, the newest of which is growing; at most `stepsMax` are kept. */
export class Series {
  readonly stepMs: number;
  readonly #stepsMax: number;
  #steps: readonly Step[] = [];

  constructor({ stepMs, stepsMax }: SeriesOptions) {
    this.stepMs = stepMs;
    this.#stepsMax = stepsMax;
  }

  /** Oldest first. */
  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** Takes up what an earlier life left. */
  restore(steps: readonly Step[], nowMs: number): void {
    this.#steps = steps;
    this.#roll(nowMs);
  }

  /** Changes the step that grows at that wall clock reading. */
  change(nowMs: number, apply: (step: Step) => Step): void {
    this.#roll(nowMs);
    const growing = this.#steps.at(-1);
    if (growing !== undefined) this.#steps = [...this.#steps.slice(0, -1), apply(growing)];
  }

  /** Of a clock that was set back, the steps that have not come yet are forgotten. */
  #roll(nowMs: number): void {
    const atMs = Math.floor(nowMs / this.stepMs) * this.stepMs;
    const oldestMs = atMs - (this.#stepsMax - 1) * this.stepMs;
    const isCurrent = this.#steps.at(-1)?.atMs === atMs;
    if (isCurrent && (this.#steps[0]?.atMs ?? atMs) >= oldestMs) return;
    const kept = this.#steps.filter((each) => each.atMs >= oldestMs && each.atMs <= atMs);
    this.#steps = kept.at(-1)?.atMs === atMs ? kept : [...kept, emptyStep(atMs)];
  }
}
