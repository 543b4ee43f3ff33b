import type { Clock } from "../clock.ts";
import { ForemanError } from "../errors.ts";
import type { Job, JobId } from "../job.ts";
import type { Log } from "../log.ts";
import type { Remains } from "../store/remains.ts";
import type { Store, StoredJob } from "../store/store.ts";
import type { CancelledJob } from "../store/waiting-slice.ts";
import type { DurableSubmission, Submitted } from "./durable-submission.ts";
import { type Lane, type LaneFacts, type Lanes, type WaitingJob, windowMax } from "./lanes.ts";
import { Recorders } from "./recorders.ts";
import { Resting } from "./resting.ts";
import type { Waiter } from "./waiters.ts";

/** A lane is filled up from the store when so few of its jobs are left in memory. */
const windowMin = 16;

/** How soon a lane is filled that could not be read. */
const refillAgainMs = 5_000;

/**
 * So many jobs are read at the start, shared among the lanes; a lane that is let through reads more
 * of its own. 64 of each of 1,000 lanes took the start a second (measured).
 */
const restoredMax = 2_048;

type DurableJobsOptions = {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly lanes: Lanes;
  readonly answerBytesMax: number;
  readonly onJoined: (job: Job) => void;
  readonly onLeft: (job: Job) => void;
  readonly onChange: () => void;
};

/** Larger bodies are read from the store when their turn comes. */
const keptBodyBytesMax = 16 * 2 ** 10;

/**
 * The jobs that outlive their clients and the daemon: rows in the store, of each lane the first few
 * in memory. What is in memory is derived; a mistake in a count is mended by the next reading.
 */
export class DurableJobs {
  readonly #options: DurableJobsOptions;
  readonly #recorders: Recorders;
  /** Jobs that wait here, rest, or run: what a reading brings again of these is passed over. */
  readonly #here = new Set<JobId>();
  readonly #resting: Resting;
  /** Lanes that are being filled, with what was added behind them meanwhile. */
  readonly #filling = new Map<string, Set<JobId>>();
  #lastArrival = 0;
  #isStopped = false;

  constructor(options: DurableJobsOptions) {
    this.#options = options;
    this.#recorders = new Recorders(options.answerBytesMax);
    this.#resting = new Resting(options.clock);
  }

  /** The arrival of a job that joins now; later ones of either kind are higher. */
  nextArrival(): number {
    this.#lastArrival += 1;
    return this.#lastArrival;
  }

  /** The latest job that is known to have joined. */
  get lastArrival(): number {
    return this.#lastArrival;
  }

  /** How many clients listen to jobs that have not begun to answer, or are answering. */
  get listenerCount(): number {
    return this.listenersOf(() => true);
  }

  /** As many of them as wait for such a model. */
  listenersOf(isSuch: (model: string) => boolean): number {
    return this.#recorders.listenersOf(isSuch);
  }

  async restore({ lanes: stored, newestArrival }: Remains): Promise<void> {
    const { lanes, onChange } = this.#options;
    this.#lastArrival = newestArrival;
    const share = Math.floor(restoredMax / Math.max(1, stored.length));
    const window = Math.min(windowMax, Math.max(1, share));
    const filled = stored.map(({ depth, ...facts }) => {
      const lane = lanes.laneOf({ ...facts, isDurable: true });
      lane.storedBehind = depth;
      return this.#fill(lane, window);
    });
    await Promise.all(filled);
    onChange();
  }

  async submit(submission: DurableSubmission): Promise<Submitted> {
    const { body, hasClient, job } = submission;
    const { lanes, log, onChange, store } = this.#options;
    if (hasClient) this.#recorders.noteJoining(job);
    // The same steps for all: a job that took one more would join its lane behind a younger one.
    const inserting = store.insertJob(job, body, submission);
    const inserted = await inserting.finally(() => this.#recorders.noteJoined(job));
    if (inserted.kind !== "inserted") return inserted;
    log.info({ jobId: job.id, model: job.model, client: job.client }, "job queued");
    this.#lastArrival = Math.max(this.#lastArrival, inserted.arrival);
    // A reading that was under way may have brought it already.
    if (this.#here.has(job.id)) return { kind: "queued" };
    const lane = lanes.laneOf(job);
    const isBehind = lane.storedBehind > 0 || lane.waiting.size >= windowMax;
    if (isBehind || this.#filling.has(lane.key) || this.#isStopped) {
      lane.storedBehind += 1;
      this.#filling.get(lane.key)?.add(job.id);
    } else {
      const fresh = { attempts: 0, lastAttempt: 0, preemptions: 0 };
      const kept = body.length <= keptBodyBytesMax ? body : null;
      lanes.append(this.#enter(job, { ...fresh, arrival: inserted.arrival, body: kept }));
    }
    onChange();
    return { kind: "queued" };
  }

  /** The listener hears the job from its beginning, also one that waits in the store alone. */
  listen(job: Pick<Job, "id" | "model">, listener: Waiter): void {
    this.#recorders.of(job).listen(listener);
  }

  stopListening(id: JobId, listener: Waiter): void {
    this.#recorders.leave(id, listener, this.#here.has(id));
  }

  /** The job has ended. */
  forget(id: JobId): void {
    this.#recorders.forget(id);
    this.#here.delete(id);
  }

  /** Lets a job rest outside its lane for a while. */
  rest(waiting: WaitingJob, ms: number): void {
    const { lanes, onChange } = this.#options;
    this.#resting.rest(waiting, ms, () => {
      lanes.insert(waiting);
      onChange();
    });
  }

  /**
   * A job that waited, in memory or in the store alone, was cancelled, and that is on the disk;
   * answers its lane, which is to be refilled.
   */
  noteCancelled(job: CancelledJob): Lane {
    const { lanes, onLeft } = this.#options;
    const { id } = job;
    const lane = lanes.laneOf({ ...job, isDurable: true });
    const waiting = lanes.remove(id) ?? this.#resting.wake(id);
    if (waiting !== null) onLeft(waiting.job);
    // It was taken meanwhile: whoever took it finds that its claim was lost, and releases it.
    else if (this.#here.has(id)) return lane;
    else lane.storedBehind = Math.max(0, lane.storedBehind - 1);
    this.#filling.get(lane.key)?.delete(id);
    this.#recorders.find(id)?.refuse(new ForemanError("cancelled", "the job was cancelled"));
    this.forget(id);
    return lane;
  }

  /** A job of that lane left memory: reads more if few are left. */
  refill(facts: LaneFacts): void {
    const lane = this.#options.lanes.laneOf(facts);
    // When it runs empty the store is asked, whatever the count says.
    const isLow =
      lane.waiting.size < windowMin && (lane.storedBehind > 0 || lane.waiting.size === 0);
    if (!isLow || this.#filling.has(lane.key) || this.#isStopped) {
      if (!this.#filling.has(lane.key)) this.#options.lanes.dropIfEmpty(lane);
      return;
    }
    const { clock, log, onChange } = this.#options;
    this.#fill(lane)
      .catch((cause: unknown) => {
        log.error({ err: cause }, "waiting jobs not read from the store; tried again in a moment");
        // Nobody else would: a lane without a job in memory has none that could leave it.
        clock.after(refillAgainMs, () => this.refill(facts));
      })
      .finally(onChange);
  }

  /** The daemon goes: clients are told, their jobs stay. */
  stop(error: ForemanError, isRunning: (id: JobId) => boolean): void {
    this.#isStopped = true;
    this.#resting.stop();
    for (const [id, { recorder }] of this.#recorders.all()) {
      if (!isRunning(id)) recorder.refuse(error);
    }
  }

  /** Reads the next jobs of a lane, those that wait behind its last one in memory. */
  async #fill(lane: Lane, window = windowMax): Promise<void> {
    const { lanes, store } = this.#options;
    const addedBehind = new Set<JobId>();
    this.#filling.set(lane.key, addedBehind);
    try {
      let after = [...lane.waiting.values()].at(-1)?.arrival ?? 0;
      for (;;) {
        const jobs = await store.waitingIn(lane, after, window);
        if (this.#isStopped) return;
        const fresh = jobs.filter(({ id }) => !this.#here.has(id));
        for (const job of fresh) this.#enterStored(job);
        for (const { id } of jobs) addedBehind.delete(id);
        // Fewer than asked for: at that instant there was nothing more behind them.
        const isAll = jobs.length < window;
        lane.storedBehind = isAll
          ? addedBehind.size
          : Math.max(1, lane.storedBehind - fresh.length);
        if (isAll || fresh.length > 0) return;
        after = jobs.at(-1)?.arrival ?? after;
      }
    } finally {
      this.#filling.delete(lane.key);
      lanes.dropIfEmpty(lane);
    }
  }

  #enterStored(job: StoredJob): void {
    const { arrival, attempts, lastAttempt, notBeforeMs, preemptions } = job;
    const facts = { arrival, attempts, lastAttempt, preemptions, body: null };
    const waiting = this.#enter(job, facts);
    const restMs = (notBeforeMs ?? 0) - this.#options.clock.wallMs();
    // A wall clock that was set back must not keep a job for days.
    if (restMs > 0) this.rest(waiting, Math.min(restMs, restMsMax));
    else this.#options.lanes.insert(waiting);
  }

  #enter(job: Job, facts: WaitingFacts): WaitingJob {
    const { clock, onJoined } = this.#options;
    onJoined(job);
    this.#here.add(job.id);
    return {
      ...facts,
      job,
      method: "POST",
      rawHeaders: ["Content-Type", "application/json"],
      waiter: this.#recorders.of(job),
      joinedAtMs: clock.monotonicMs(),
    };
  }
}

type WaitingFacts = Omit<WaitingJob, "job" | "method" | "rawHeaders" | "waiter" | "joinedAtMs">;

/** The longest that a target may ask for: see dispatch/backoff.ts. */
const restMsMax = 600_000;
