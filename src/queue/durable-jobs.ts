import type { Clock, Timer } from "../clock.ts";
import type { Job, JobId } from "../job.ts";
import type { Log } from "../log.ts";
import type { Store, StoredJob } from "../store/store.ts";
import { type Lane, type Lanes, type WaitingJob, windowMax } from "./lanes.ts";
import { Recorder } from "./recorder.ts";
import type { Waiter } from "./waiters.ts";

/** A lane is filled up from the store when so few of its jobs are left in memory. */
const windowMin = 16;

export type DurableSubmission = {
  readonly job: Job;
  readonly body: Buffer;
  /** Unique for the client; a repeated one joins the job that has it. */
  readonly idempotencyKey: string | null;
};

export type Submitted =
  | { readonly kind: "queued" }
  /** The key was used for `job`, which may have another body. */
  | { readonly kind: "known"; readonly job: StoredJob };

type DurableJobsOptions = {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly lanes: Lanes;
  readonly answerBytesMax: number;
  readonly onJoined: (job: Job) => void;
  readonly onChange: () => void;
};

/**
 * The jobs that outlive their clients and the daemon: rows in the store, of each lane the first few
 * in memory. What is in memory is derived; a mistake in a count is mended by the next refill.
 */
export class DurableJobs {
  readonly #options: DurableJobsOptions;
  readonly #recorders = new Map<JobId, Recorder>();
  readonly #delayed = new Map<JobId, { readonly waiting: WaitingJob; readonly timer: Timer }>();
  /** Lanes that are being filled, with what was added behind them meanwhile. */
  readonly #filling = new Map<string, { addedBehind: number }>();
  /** By lane key: the arrival of the last job that was read into memory. */
  readonly #readUpTo = new Map<string, number>();
  #lastArrival = 0;
  #isStopped = false;

  constructor(options: DurableJobsOptions) {
    this.#options = options;
  }

  /** The arrival of a job that joins now; later ones of either kind are higher. */
  nextArrival(): number {
    this.#lastArrival += 1;
    return this.#lastArrival;
  }

  async restore(): Promise<void> {
    const { lanes, store } = this.#options;
    const [newest] = await store.page({ limit: 1 });
    this.#lastArrival = newest?.arrival ?? 0;
    for (const { depth, ...facts } of await store.lanes()) {
      const lane = lanes.laneOf({ ...facts, isDurable: true });
      lane.storedBehind = depth;
      await this.#fill(lane);
    }
  }

  async submit({ body, idempotencyKey, job }: DurableSubmission): Promise<Submitted> {
    const { lanes, log, onChange, store } = this.#options;
    const options = idempotencyKey === null ? {} : { idempotencyKey };
    const inserted = await store.insertJob(job, body, options);
    if (inserted.kind === "known") return inserted;
    log.info({ jobId: job.id, model: job.model, client: job.client }, "job queued");
    this.#lastArrival = Math.max(this.#lastArrival, inserted.arrival);
    const lane = lanes.laneOf(job);
    if (lane.storedBehind > 0 || lane.waiting.size >= windowMax || this.#filling.has(lane.key)) {
      this.#addBehind(lane);
    } else if (!this.#isStopped) {
      const fresh = { attempts: 0, lastAttempt: 0, preemptions: 0 };
      this.#enter(job, { ...fresh, arrival: inserted.arrival, body });
    }
    onChange();
    return { kind: "queued" };
  }

  /** The listener hears the job from its beginning, also one that waits in the store alone. */
  listen(id: JobId, listener: Waiter): void {
    this.#recorderOf(id).listen(listener);
  }

  stopListening(id: JobId, listener: Waiter): void {
    this.#recorders.get(id)?.leave(listener);
  }

  /** How many listen to the job. */
  listenerCount(id: JobId): number {
    return this.#recorders.get(id)?.listenerCount ?? 0;
  }

  /** The job has ended: nobody can listen to it any more. */
  forget(id: JobId): void {
    this.#recorders.delete(id);
  }

  /** Lets a job wait outside its lane for a while. */
  enterLater(waiting: WaitingJob, delayMs: number): void {
    const { clock, lanes, onChange } = this.#options;
    const { id } = waiting.job;
    const timer = clock.after(delayMs, () => {
      this.#delayed.delete(id);
      lanes.insert(waiting);
      onChange();
    });
    this.#delayed.set(id, { waiting, timer });
  }

  removeDelayed(id: JobId): WaitingJob | null {
    const delayed = this.#delayed.get(id);
    delayed?.timer.cancel();
    this.#delayed.delete(id);
    return delayed?.waiting ?? null;
  }

  /** Cancels a job of which the store alone knows; false if it does not wait there. */
  async cancelStored(id: JobId, message: string): Promise<boolean> {
    const { clock, lanes, store } = this.#options;
    const job = await store.job(id);
    if (job === null || !job.isDurable) return false;
    const ending = { statusCode: null, promptTokens: null, completionTokens: null, message };
    const cancelled = { ...ending, state: "cancelled", reason: "cancelled_by_user" } as const;
    if ((await store.endWaiting(id, cancelled, clock.wallMs())) === "lost") return false;
    const lane = lanes.laneOf(job);
    lane.storedBehind = Math.max(0, lane.storedBehind - 1);
    lanes.dropIfEmpty(lane);
    return true;
  }

  /** A job of that lane left memory: reads more if few are left. */
  refill(job: Job): void {
    const lane = this.#options.lanes.laneOf(job);
    const isLow = lane.waiting.size < windowMin && lane.storedBehind > 0;
    if (!isLow || this.#filling.has(lane.key) || this.#isStopped) {
      this.#options.lanes.dropIfEmpty(lane);
      return;
    }
    this.#fill(lane).catch((cause: unknown) => {
      this.#options.log.error({ err: cause }, "waiting jobs not read from the store");
    });
  }

  stop(): void {
    this.#isStopped = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
  }

  async #fill(lane: Lane): Promise<void> {
    const { lanes, onChange, store } = this.#options;
    const filling = { addedBehind: 0 };
    this.#filling.set(lane.key, filling);
    try {
      const readUpTo = this.#readUpTo.get(lane.key) ?? 0;
      const jobs = await store.waitingIn(lane, readUpTo, windowMax);
      if (this.#isStopped) return;
      for (const job of jobs) {
        this.#readUpTo.set(lane.key, job.arrival);
        if (!lanes.has(job.id)) this.#enterStored(job);
      }
      // Fewer than asked for: at that instant there was nothing more behind them.
      const isAll = jobs.length < windowMax;
      lane.storedBehind = isAll ? filling.addedBehind : lane.storedBehind - jobs.length;
    } finally {
      this.#filling.delete(lane.key);
      lanes.dropIfEmpty(lane);
      onChange();
    }
  }

  #addBehind(lane: Lane): void {
    lane.storedBehind += 1;
    const filling = this.#filling.get(lane.key);
    if (filling !== undefined) filling.addedBehind += 1;
  }

  #enterStored(job: StoredJob): void {
    const { clock } = this.#options;
    const { arrival, attempts, lastAttempt, notBeforeMs, preemptions } = job;
    const facts = { arrival, attempts, lastAttempt, preemptions, body: null };
    const waiting = this.#waitingJob(job, facts);
    const delayMs = (notBeforeMs ?? 0) - clock.wallMs();
    this.#options.onJoined(job);
    // A wall clock that was set back must not keep a job for days.
    if (delayMs > 0) this.enterLater(waiting, Math.min(delayMs, delayMsMax));
    else this.#options.lanes.append(waiting);
  }

  #enter(job: Job, facts: WaitingFacts): void {
    this.#readUpTo.set(this.#options.lanes.laneOf(job).key, facts.arrival);
    this.#options.onJoined(job);
    this.#options.lanes.append(this.#waitingJob(job, facts));
  }

  #recorderOf(id: JobId): Recorder {
    const recorder = this.#recorders.get(id) ?? new Recorder(this.#options.answerBytesMax);
    this.#recorders.set(id, recorder);
    return recorder;
  }

  #waitingJob(job: Job, facts: WaitingFacts): WaitingJob {
    const { clock } = this.#options;
    return {
      ...facts,
      job,
      method: "POST",
      rawHeaders: ["Content-Type", "application/json"],
      waiter: this.#recorderOf(job.id),
      joinedAtMs: clock.monotonicMs(),
    };
  }
}

type WaitingFacts = Omit<WaitingJob, "job" | "method" | "rawHeaders" | "waiter" | "joinedAtMs">;

/** The longest backoff between two attempts: see dispatch/backoff.ts. */
const delayMsMax = 60_000;
