import assert from "node:assert/strict";
import { ForemanError, hasCode } from "../errors.ts";
import type { Ending, Job, JobId } from "../job.ts";
import type { Log } from "../log.ts";
import type { Remains } from "../store/remains.ts";
import { admit, type Closing, drainingError } from "./admit.ts";
import { Cancels } from "./cancels.ts";
import { DurableJobs } from "./durable-jobs.ts";
import type { DurableSubmission, Submitted } from "./durable-submission.ts";
import { type Lane, type LaneFacts, Lanes, type WaitingJob } from "./lanes.ts";
import { type LeaveReason, leaveMessages } from "./leave-reason.ts";
import type { QueueOptions } from "./queue-options.ts";
import { Recorder } from "./recorder.ts";
import type { Submission } from "./submission.ts";
import { Taken } from "./taken.ts";
import { WaitLimit } from "./wait-limit.ts";

/** Where a job waits: lanes in memory in front of rows in the store. */
export class Queue {
  readonly #options: QueueOptions;
  readonly #log: Log;
  readonly #lanes = new Lanes();
  readonly #durable: DurableJobs;
  readonly #waitLimit: WaitLimit;
  readonly #taken = new Taken();
  /** That somebody asks for, of jobs in every state. */
  readonly cancels: Cancels;
  #isDraining = false;
  #closing: Closing | null = null;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "queue" });
    this.#waitLimit = new WaitLimit(options);
    this.#durable = new DurableJobs({ ...options, log: this.#log, lanes: this.#lanes });
    const own = { log: this.#log, durable: this.#durable, taken: this.#taken };
    const turnAway = (id: JobId) =>
      this.#turnAway(id, new ForemanError("cancelled", "the job was cancelled"));
    this.cancels = new Cancels({ ...options, ...own, turnAway });
  }

  /** Jobs that wait, on sockets and in the store. */
  get depth(): number {
    return this.#lanes.depth;
  }

  /** Where clients listen to durable jobs. */
  get listeners(): Pick<DurableJobs, "listen" | "stopListening"> {
    return this.#durable;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** An operator's wish that nothing new comes in; null: there is none. */
  get closing(): Closing | null {
    return this.#closing;
  }

  get isFull(): boolean {
    return this.#clientCount >= this.#options.depthMax;
  }

  get #clientCount(): number {
    return this.#lanes.onSocket + this.#durable.listenerCount;
  }

  lanes(): Iterable<Lane> {
    return this.#lanes.all();
  }

  /** Where such a job waits; null if nothing waits there. */
  laneOf(facts: LaneFacts): Lane | null {
    return this.#lanes.find(facts);
  }

  /** Brings back what an earlier life left waiting. Before anything is submitted. */
  restore(remains: Remains): Promise<void> {
    return this.#durable.restore(remains);
  }

  /**
   * Takes a client's job in, or answers why not. The row is written behind: the open socket is what
   * keeps such a job alive, so neither side waits for the disk.
   */
  submit(submission: Submission): ForemanError | null {
    const { clock, depthMax, onChange, onJoined, store } = this.#options;
    const job = this.#ranked(submission.job);
    const { closing, isDraining } = this;
    const refusal = admit({ closing, isDraining, depthMax, ...this.#depths(job.model) });
    if (refusal !== null) return refusal;
    this.#log.info({ jobId: job.id, model: job.model, client: job.client }, "job queued");
    store.insertJob(job, null).catch((cause: unknown) => this.#lostInsert(job, cause));
    onJoined(job);
    const fresh = { attempts: 0, lastAttempt: 0, preemptions: 0 };
    const arrival = this.#durable.nextArrival();
    const waiting = { ...submission, ...fresh, job, arrival, joinedAtMs: clock.monotonicMs() };
    this.#lanes.append(waiting);
    this.#watchWait(waiting);
    onChange();
    return null;
  }

  /**
   * Takes a job in that does not depend on any socket; resolves when it is on the disk. A key that
   * the client has used before joins the job that it was used for.
   *
   * @throws ForemanError `draining`, `queue_full` (for a client that means to wait), or as
   * `Store.insertJob`
   */
  async submitDurable(submission: DurableSubmission): Promise<Submitted> {
    // An item was taken in with its batch.
    const closing = submission.forItem === undefined ? this.closing : null;
    const { hasClient, job } = submission;
    const depths = hasClient ? this.#depths(job.model) : { depth: 0, heldDepth: 0 };
    const refusal = admit({ ...this.#options, ...depths, isDraining: this.#isDraining, closing });
    if (refusal !== null) throw refusal;
    return await this.#durable.submit({ ...submission, job: this.#ranked(job) });
  }

  /**
   * Takes a job out to be run; from now on its leaving is told to `cut`. Null: it no longer waits.
   */
  take(id: JobId, cut: (why: LeaveReason) => void): WaitingJob | null {
    const waiting = this.#remove(id);
    if (waiting !== null) this.#taken.add(waiting.job, cut);
    return waiting;
  }

  /** A job that was taken has come to its end. */
  release(job: Job): void {
    this.#taken.noteBack(job.id);
    this.#durable.forget(job.id);
    this.#options.onLeft(job);
  }

  /** A job that was taken waits again, at its old place; a durable one not before `delayMs`. */
  putBack(waiting: WaitingJob, delayMs = 0): void {
    this.#taken.noteBack(waiting.job.id);
    if (waiting.waiter instanceof Recorder) waiting.waiter.forget();
    if (this.#isDraining && waiting.job.isDurable) return;
    if (delayMs > 0) {
      this.#durable.rest(waiting, delayMs);
      return;
    }
    this.#lanes.insert(waiting);
    this.#watchWait(waiting);
    if (this.#isDraining) this.#turnAway(waiting.job.id, drainingError());
    else this.#options.onChange();
  }

  /**
   * The client of a job leaves: a waiting job is cancelled unsent, a running one is cut at the
   * target. Unknown and ended jobs are left alone.
   */
  leave(id: JobId, why: LeaveReason): void {
    const isTaken = this.#taken.cut(id, why) !== null;
    const waiting = isTaken ? null : this.#remove(id);
    this.#end(waiting, { state: "cancelled", reason: why, message: leaveMessages[why] });
  }

  /** Refuses new work, or takes it again, while all that is in goes on: an operator's wish. */
  close(closing: Closing | null): void {
    this.#closing = closing;
  }

  /** Refuses everything new from now on. Idempotent. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Turns everyone away who waits on a socket: the daemon goes. Durable jobs stay in the store. */
  endWaiting(): void {
    for (const id of this.#lanes.idsOnSocket()) this.#turnAway(id, drainingError());
    this.#durable.stop(drainingError(), (id) => this.#taken.has(id));
  }

  /** Ends the wait of a client on a socket; false if none waits for that job. */
  #turnAway(id: JobId, error: ForemanError): boolean {
    const waiting = this.#lanes.isOnSocket(id) ? this.#remove(id) : null;
    const reason = error.code === "cancelled" ? "cancelled_by_user" : "shutdown";
    waiting?.waiter.refuse(error);
    this.#end(waiting, { state: "cancelled", reason, message: error.message });
    return waiting !== null;
  }

  /** The clients that wait, those for a missing model apart if the new one is for such a model. */
  #depths(model: string) {
    const { isModelMissing: isSuch } = this.#options;
    const heldDepth = () => this.#lanes.onSocketOf(isSuch) + this.#durable.listenersOf(isSuch);
    return { depth: this.#clientCount, heldDepth: isSuch(model) ? heldDepth() : 0 };
  }

  /** Here, so that no way into the queue leads past a client's ceiling. */
  #ranked(job: Job): Job {
    const isBatch = this.#options.topClassOf(job.client) === "batch";
    return isBatch ? { ...job, class: "batch" } : job;
  }

  #remove(id: JobId): WaitingJob | null {
    const waiting = this.#lanes.remove(id);
    this.#waitLimit.forget(id);
    if (waiting?.job.isDurable) this.#durable.refill(waiting.job);
    return waiting;
  }

  #watchWait(waiting: WaitingJob): void {
    this.#waitLimit.watch(waiting, (error) => {
      waiting.waiter.refuse(error);
      const { message } = error;
      const ended = this.#remove(waiting.job.id);
      this.#end(ended, { state: "failed", reason: "queue_timeout", message });
    });
  }

  #end(waiting: WaitingJob | null, why: Pick<Ending, "state" | "reason" | "message">): void {
    if (waiting === null) return;
    const { behind, clock, onChange, onEndedWaiting, store } = this.#options;
    const { job } = waiting;
    const atMs = clock.wallMs();
    const ending = { ...why, statusCode: null, promptTokens: null, completionTokens: null };
    this.#log.info({ jobId: job.id, reason: why.reason }, `job ${why.state}`);
    behind.write(job.id, "end", () => store.endWaiting(job.id, ending, atMs));
    onEndedWaiting(job, why);
    this.release(job);
    onChange();
  }

  /**
   * A job that could not be written is turned away if it still waits. If it runs it runs on, and
   * its row is written as soon as the disk has room, in time for its end or with it.
   */
  #lostInsert(job: Job, cause: unknown): void {
    const { behind, onChange, onEndedWaiting, onLeft, store } = this.#options;
    this.#log.error({ jobId: job.id, err: cause }, "job not recorded");
    assert(cause instanceof ForemanError, "a store rejects with nothing else");
    const waiting = this.#remove(job.id);
    if (waiting === null) {
      // One that has ended by now has nothing more to come that would end its row.
      const isOwed = hasCode(cause, "storage_full") && this.#taken.has(job.id);
      if (isOwed) behind.owe(job.id, "insert", () => store.insertJob(job, null));
      return;
    }
    waiting.waiter.refuse(cause);
    onEndedWaiting(job, { state: "failed", reason: "storage_failed" });
    onLeft(job);
    onChange();
  }
}
