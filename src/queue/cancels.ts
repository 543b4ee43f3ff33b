import type { Clock } from "../clock.ts";
import type { Ending, Job, JobId } from "../job.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import type { WaitingFilter, WaitingSlice } from "../store/waiting-slice.ts";
import type { DurableJobs } from "./durable-jobs.ts";
import type { Lane } from "./lanes.ts";
import { leaveMessages } from "./leave-reason.ts";
import type { Taken } from "./taken.ts";

/**
 * Waiting jobs of one transaction of a cancel: 4 ms and its commit (measured), so that no other
 * commit waits for long. 1,000 at once are no faster in all.
 */
const cancelSliceMax = 250;

type CancelsDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly durable: DurableJobs;
  readonly taken: Taken;
  /** Ends the wait of a client on a socket; false if none waits for that job. */
  readonly turnAway: (id: JobId) => boolean;
  readonly onEndedWaiting: (job: Pick<Job, "class">, why: Ending) => void;
  readonly onChange: () => void;
};

/** Cancels that somebody asks for: of one job, or of many durable ones. */
export class Cancels {
  readonly #deps: CancelsDeps;

  constructor(deps: CancelsDeps) {
    this.#deps = deps;
  }

  /**
   * Cancels a job that waits, wherever, or runs; false if it has ended or never was. Resolves when
   * a durable one's end is on the disk: a daemon that died before would run it again.
   */
  async one(id: JobId): Promise<boolean> {
    const { taken, turnAway } = this.#deps;
    if (turnAway(id)) return true;
    const back = taken.cut(id, "cancelled_by_user");
    await back;
    // It may wait again. Or it was let through before its end was on the disk: then once more.
    const wasWaiting = await this.#waiting(id);
    return wasWaiting || (taken.has(id) ? await this.one(id) : back !== null);
  }

  /** As `one`, of each. Those that wait go first: one of them would take the slot that is freed. */
  async each(ids: readonly JobId[]): Promise<void> {
    const { taken } = this.#deps;
    const running = ids.filter((id) => taken.has(id));
    const waiting = ids.filter((id) => !taken.has(id));
    await Promise.all(waiting.map((id) => this.one(id)));
    await Promise.all(running.map((id) => this.one(id)));
  }

  /**
   * Cancels the durable jobs that fit and wait, wherever, and those that run if `isRunningToo`. One
   * that is claimed meanwhile runs on, one that joins meanwhile waits on.
   *
   * @returns how many were cancelled, when that is on the disk
   * @throws ForemanError as the store; some may be cancelled by then
   */
  async many(filter: WaitingFilter, isRunningToo: boolean): Promise<number> {
    const { log, store, taken } = this.#deps;
    let count = await this.#allWaiting(filter);
    // After those that wait, of which one would take the free slot.
    const running = isRunningToo ? taken.durable(filter) : [];
    await Promise.all(running.map((id) => this.one(id)));
    const ended = await Promise.all(running.map((id) => store.job(id)));
    // One may have come to its own end just before.
    count += ended.filter((job) => job?.ending?.reason === "cancelled_by_user").length;
    log.info({ ...filter, isRunningToo, count }, "jobs cancelled");
    return count;
  }

  async #waiting(id: JobId): Promise<boolean> {
    const { clock, durable, log, onChange, onEndedWaiting, store } = this.#deps;
    const job = await store.job(id);
    if (job === null || !job.isDurable) return false;
    if ((await store.endWaiting(id, ending, clock.wallMs())) === "lost") return false;
    log.info({ jobId: id }, "job cancelled");
    onEndedWaiting(job, ending);
    durable.refill(durable.noteCancelled(job));
    onChange();
    return true;
  }

  /** Slice by slice; those that join meanwhile are not among them. */
  async #allWaiting(filter: WaitingFilter): Promise<number> {
    const { clock, durable, onChange, onEndedWaiting, store } = this.#deps;
    const upTo = durable.lastArrival;
    const touched = new Map<string, Lane>();
    let count = 0;
    try {
      for (let after: number | null = 0; after !== null; ) {
        const slice: WaitingSlice = { ...filter, after, upTo, limit: cancelSliceMax };
        const { jobs, next } = await store.cancelWaiting(slice, ending, clock.wallMs());
        for (const job of jobs) {
          const lane = durable.noteCancelled(job);
          touched.set(lane.key, lane);
          onEndedWaiting(lane, ending);
        }
        count += jobs.length;
        after = next;
      }
    } finally {
      // Not before: what is read in between would be cancelled by the next slice.
      for (const lane of touched.values()) durable.refill(lane);
      onChange();
    }
    return count;
  }
}

const ending: Ending = {
  state: "cancelled",
  reason: "cancelled_by_user",
  message: leaveMessages.cancelled_by_user,
  statusCode: null,
  promptTokens: null,
  completionTokens: null,
};
