import type { Job, JobId } from "../job.ts";
import type { WaitingFilter } from "../store/waiting-slice.ts";
import type { LeaveReason } from "./leave-reason.ts";

type TakenJob = {
  readonly job: Job;
  readonly cut: (why: LeaveReason) => void;
  /** Resolves when it has ended, or waits again. */
  readonly back: PromiseWithResolvers<void>;
};

/** Jobs that were taken out of the queue to be run, until they come back or end. */
export class Taken {
  readonly #jobs = new Map<JobId, TakenJob>();

  add(job: Job, cut: (why: LeaveReason) => void): void {
    this.#jobs.set(job.id, { job, cut, back: Promise.withResolvers() });
  }

  has(id: JobId): boolean {
    return this.#jobs.has(id);
  }

  /** Cuts a job; resolves when it has ended, or waits again. Null: it was not taken. */
  cut(id: JobId, why: LeaveReason): Promise<void> | null {
    const taken = this.#jobs.get(id);
    taken?.cut(why);
    return taken?.back.promise ?? null;
  }

  /** The job has ended, or waits again. */
  noteBack(id: JobId): void {
    this.#jobs.get(id)?.back.resolve();
    this.#jobs.delete(id);
  }

  /** Durable jobs that fit the filter. */
  durable({ client, model }: WaitingFilter): JobId[] {
    return [...this.#jobs.values()]
      .map(({ job }) => job)
      .filter((job) => job.isDurable)
      .filter((job) => job.client === (client ?? job.client) && job.model === (model ?? job.model))
      .map(({ id }) => id);
  }
}
