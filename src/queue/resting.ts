import type { Clock, Timer } from "../clock.ts";
import type { JobId } from "../job.ts";
import type { WaitingJob } from "./lanes.ts";

/** Jobs that rest outside their lane: each may not run before its time. */
export class Resting {
  readonly #clock: Clock;
  readonly #jobs = new Map<JobId, { readonly waiting: WaitingJob; readonly timer: Timer }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `onRested` after `ms`, unless the job was woken or everything stopped before. */
  rest(waiting: WaitingJob, ms: number, onRested: () => void): void {
    const { id } = waiting.job;
    const timer = this.#clock.after(ms, () => {
      this.#jobs.delete(id);
      onRested();
    });
    this.#jobs.set(id, { waiting, timer });
  }

  /** Takes a job out before its time; null if it does not rest. */
  wake(id: JobId): WaitingJob | null {
    const resting = this.#jobs.get(id);
    resting?.timer.cancel();
    this.#jobs.delete(id);
    return resting?.waiting ?? null;
  }

  stop(): void {
    for (const { timer } of this.#jobs.values()) timer.cancel();
  }
}
