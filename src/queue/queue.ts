import type { Clock, Timer } from "../clock.ts";
import { ForemanError } from "../errors.ts";
import type { Ending, EndReason, Job, JobClass, JobId } from "../job.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import type { RawHeaders } from "../target/target.ts";
import { admit, drainingError, retryAfterS } from "./admit.ts";
import type { Waiter } from "./waiters.ts";

/** A job with all that is needed to run it. */
export type Submission = {
  readonly job: Job;
  readonly method: string;
  readonly rawHeaders: RawHeaders;
  readonly body: Buffer;
  readonly waiter: Waiter;
};

export type WaitingJob = Submission & {
  /** Order of arrival: the only order there is inside a lane. */
  readonly arrival: number;
  /** Monotonic ms. */
  readonly joinedAtMs: number;
  /** Attempts that count: one that found no target is given back. */
  attempts: number;
  /** The number of the latest attempt, counted or not: the fence of its writes. */
  lastAttempt: number;
};

/** How a client leaves: by itself, or because it could not keep up. */
export type LeaveReason = Extract<EndReason, "client_gone" | "client_too_slow">;

/** Jobs that are alike to the scheduler. `waiting` is in order of arrival. */
export type Lane = {
  readonly key: string;
  readonly class: JobClass;
  readonly runnerKey: string;
  readonly client: string;
  waiting: Map<JobId, WaitingJob>;
};

type QueueOptions = {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** How many may wait. */
  readonly depthMax: number;
  /** The longest wait of a client, in ms; 0 for none. */
  readonly waitMsMax: number;
  /** Called once for each job that begins to wait, and once when it neither waits nor runs. */
  readonly onJoined: (job: Job) => void;
  readonly onLeft: (job: Job) => void;
  /** Called when what waits has changed: something may now be let through. */
  readonly onChange: () => void;
};

/** Where a chat waits: lanes in memory in front of rows in the store. */
export class Queue {
  readonly #options: QueueOptions;
  readonly #log: Log;
  readonly #lanes = new Map<string, Lane>();
  readonly #laneByJob = new Map<JobId, Lane>();
  readonly #timers = new Map<JobId, Timer>();
  readonly #cuts = new Map<JobId, (why: LeaveReason) => void>();
  #arrivals = 0;
  #isDraining = false;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "queue" });
  }

  get depth(): number {
    return this.#laneByJob.size;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  get isFull(): boolean {
    return this.depth >= this.#options.depthMax;
  }

  lanes(): Iterable<Lane> {
    return this.#lanes.values();
  }

  /**
   * Takes a job in, or answers why not. The row is written behind: the client's open socket is what
   * keeps a synchronous job alive, so neither side waits for the disk.
   */
  submit(submission: Submission): ForemanError | null {
    const { clock, depthMax, store } = this.#options;
    const { job } = submission;
    const refusal = admit({ isDraining: this.#isDraining, depth: this.depth, depthMax });
    if (refusal !== null) return refusal;
    this.#log.info({ jobId: job.id, model: job.model, client: job.client }, "job queued");
    store.insertJob(job, null).catch((cause: unknown) => this.#lostInsert(job, cause));
    this.#arrivals += 1;
    this.#options.onJoined(job);
    this.#enter({
      ...submission,
      arrival: this.#arrivals,
      joinedAtMs: clock.monotonicMs(),
      attempts: 0,
      lastAttempt: 0,
    });
    this.#options.onChange();
    return null;
  }

  /**
   * Takes a job out to be run; from now on its leaving is told to `cut`. Null: it no longer waits.
   */
  take(id: JobId, cut: (why: LeaveReason) => void): WaitingJob | null {
    const waiting = this.#remove(id);
    if (waiting !== null) this.#cuts.set(id, cut);
    return waiting;
  }

  /** A job that was taken has come to its end. */
  release(job: Job): void {
    this.#cuts.delete(job.id);
    this.#options.onLeft(job);
  }

  /** A job that was taken waits again, at its old place. */
  putBack(waiting: WaitingJob): void {
    this.#cuts.delete(waiting.job.id);
    const lane = this.#enter(waiting);
    if (this.#isDraining) {
      this.#turnAway(waiting.job.id);
      return;
    }
    lane.waiting = new Map([...lane.waiting].sort(([, a], [, b]) => a.arrival - b.arrival));
    this.#options.onChange();
  }

  /**
   * Ends a job wherever it is: a waiting one is cancelled unsent, a running one is cut at the
   * target. Unknown and ended jobs are left alone.
   */
  leave(id: JobId, why: LeaveReason): void {
    const cut = this.#cuts.get(id);
    const message = "its client closed the connection before its turn came";
    if (cut) cut(why);
    else this.#end(this.#remove(id), { state: "cancelled", reason: why, message });
  }

  /** Refuses everything new from now on. Idempotent. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Turns every waiting job away: the daemon goes. */
  endWaiting(): void {
    for (const id of [...this.#laneByJob.keys()]) this.#turnAway(id);
  }

  #turnAway(id: JobId): void {
    const waiting = this.#remove(id);
    const error = drainingError();
    waiting?.waiter.refuse(error);
    this.#end(waiting, { state: "cancelled", reason: "shutdown", message: error.message });
  }

  #enter(waiting: WaitingJob): Lane {
    const { job } = waiting;
    const lane = this.#laneOf(job);
    lane.waiting.set(job.id, waiting);
    this.#laneByJob.set(job.id, lane);
    this.#watchWait(waiting);
    return lane;
  }

  #laneOf(job: Job): Lane {
    const key = `${job.class}\n${job.runnerKey}\n${job.client}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      const { class: jobClass, runnerKey, client } = job;
      lane = { key, class: jobClass, runnerKey, client, waiting: new Map() };
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  #remove(id: JobId): WaitingJob | null {
    const lane = this.#laneByJob.get(id);
    const waiting = lane?.waiting.get(id);
    if (lane === undefined || waiting === undefined) return null;
    lane.waiting.delete(id);
    if (lane.waiting.size === 0) this.#lanes.delete(lane.key);
    this.#laneByJob.delete(id);
    this.#timers.get(id)?.cancel();
    this.#timers.delete(id);
    return waiting;
  }

  #watchWait(waiting: WaitingJob): void {
    const { clock, waitMsMax } = this.#options;
    if (waitMsMax === 0) return;
    const restMs = waiting.joinedAtMs + waitMsMax - clock.monotonicMs();
    const { id } = waiting.job;
    this.#timers.set(
      id,
      clock.after(Math.max(0, restMs), () => {
        const message = `waited longer than FOREMAN_QUEUE_TIMEOUT (${waitMsMax / 1_000} s)`;
        waiting.waiter.refuse(new ForemanError("queue_timeout", message, { retryAfterS }));
        this.#end(this.#remove(id), { state: "failed", reason: "queue_timeout", message });
      }),
    );
  }

  #end(waiting: WaitingJob | null, why: Pick<Ending, "state" | "reason" | "message">): void {
    if (waiting === null) return;
    const { clock, onChange, onLeft, store } = this.#options;
    const { job } = waiting;
    const ending = { ...why, statusCode: null, promptTokens: null, completionTokens: null };
    this.#log.info({ jobId: job.id, reason: why.reason }, `job ${why.state}`);
    store.endWaiting(job.id, ending, clock.wallMs()).catch((cause: unknown) => {
      this.#log.error({ jobId: job.id, err: cause }, "end of a waiting job not recorded");
    });
    onLeft(job);
    onChange();
  }

  /** A job that could not be written is turned away if it still waits, and runs on if it runs. */
  #lostInsert(job: Job, cause: unknown): void {
    this.#log.error({ jobId: job.id, err: cause }, "job not recorded");
    const error =
      cause instanceof ForemanError
        ? cause
        : new ForemanError("storage_failed", "the job could not be recorded", { cause });
    const waiting = this.#remove(job.id);
    if (waiting === null) return;
    waiting.waiter.refuse(error);
    this.#options.onLeft(job);
    this.#options.onChange();
  }
}
