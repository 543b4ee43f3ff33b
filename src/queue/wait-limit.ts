import type { Clock, Timer } from "../clock.ts";
import type { ForemanError } from "../errors.ts";
import type { JobId } from "../job.ts";
import { timeoutError } from "./admit.ts";
import type { WaitingJob } from "./lanes.ts";

type WaitLimitOptions = {
  readonly clock: Clock;
  /** The longest wait of a client, in ms; 0 for none. */
  readonly waitMsMax: number;
};

/** Watches that no client waits longer than it may. A durable job has nobody who waits. */
export class WaitLimit {
  readonly #options: WaitLimitOptions;
  readonly #timers = new Map<JobId, Timer>();

  constructor(options: WaitLimitOptions) {
    this.#options = options;
  }

  /** Calls `onOver` once the job has waited too long since it joined, unless it is forgotten. */
  watch({ job, joinedAtMs }: WaitingJob, onOver: (error: ForemanError) => void): void {
    const { clock, waitMsMax } = this.#options;
    if (waitMsMax === 0 || job.isDurable) return;
    const restMs = joinedAtMs + waitMsMax - clock.monotonicMs();
    const timer = clock.after(Math.max(0, restMs), () => onOver(timeoutError(waitMsMax)));
    this.#timers.set(job.id, timer);
  }

  /** The job waits no more. */
  forget(id: JobId): void {
    this.#timers.get(id)?.cancel();
    this.#timers.delete(id);
  }
}
