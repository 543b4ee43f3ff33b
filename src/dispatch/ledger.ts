import type { Clock } from "../clock.ts";
import type { Ending, JobId } from "../job.ts";
import type { Log } from "../log.ts";
import type { WaitingJob } from "../queue/lanes.ts";
import type { Answer, PutBack, Store } from "../store/store.ts";
import type { WriteBehind } from "../store/write-behind.ts";
import { keptAnswer } from "./kept-answer.ts";

type LedgerDeps = {
  readonly store: Store;
  readonly behind: WriteBehind;
  readonly clock: Clock;
  readonly log: Log;
};

/** Writes down what becomes of jobs. Rows of synchronous jobs are written behind. */
export class Ledger {
  readonly #deps: LedgerDeps;
  /** Ends of durable jobs that are on their way to the disk. */
  readonly #ends = new Set<Promise<void>>();

  constructor(deps: LedgerDeps) {
    this.#deps = deps;
  }

  /** Resolves with the body when the claim is written; null: it was not there to be claimed. */
  async claimDurable({ body, job }: WaitingJob, attempt: number): Promise<Buffer | null> {
    const { clock, store } = this.#deps;
    const claimed = store.claim(job.id, attempt, clock.wallMs());
    const [claim, bytes] = await Promise.all([claimed, body ?? store.body(job.id)]);
    return claim === "claimed" && bytes !== null ? Buffer.from(bytes) : null;
  }

  claim(id: JobId, attempt: number): void {
    const { behind, clock, store } = this.#deps;
    const atMs = clock.wallMs();
    behind.write(id, "claim", () => store.claim(id, attempt, atMs));
  }

  working(id: JobId, attempt: number): void {
    const { behind, clock, store } = this.#deps;
    const atMs = clock.wallMs();
    behind.write(id, "working", () => store.markWorking(id, attempt, atMs));
  }

  /**
   * `delayMs`: it shall not run again before. Resolves at once for a synchronous job, for a durable
   * one when it is on the disk; never rejects.
   */
  async putBack(
    { job }: WaitingJob,
    attempt: number,
    putBack: PutBack,
    delayMs: number,
  ): Promise<void> {
    const { behind, clock, store } = this.#deps;
    const atMs = clock.wallMs();
    const notBeforeMs = delayMs === 0 ? null : atMs + delayMs;
    const write = () => store.putBack(job.id, attempt, putBack, atMs, notBeforeMs);
    if (job.isDurable) await behind.insist(job.id, "put back", write);
    else behind.write(job.id, "put back", write);
  }

  /**
   * Writes the end of a job; of a durable one with its answer, for the GPU's work is not to be done
   * twice. To keep an answer takes time, which is taken `after`. Resolves at once for a synchronous
   * job, for a durable one when it is on the disk; never rejects.
   */
  settle(
    waiting: WaitingJob,
    attempt: number,
    ending: Ending,
    after: Promise<void>,
  ): Promise<void> {
    const { behind, clock } = this.#deps;
    const { id, isDurable } = waiting.job;
    const atMs = clock.wallMs();
    if (!isDurable) {
      behind.write(id, "end", () => this.#end(id, attempt, ending, atMs, null));
      return Promise.resolve();
    }
    const settle = async () => {
      await after;
      const { answer, ending: kept } = await keptAnswer(waiting.waiter, ending);
      await behind.insist(id, "end", () => this.#end(id, attempt, kept, atMs, answer));
    };
    const settled = settle().finally(() => this.#ends.delete(settled));
    this.#ends.add(settled);
    return settled;
  }

  /** Resolves when the ends of all durable jobs that have ended are on the disk. */
  async idle(): Promise<void> {
    while (this.#ends.size > 0) await Promise.all(this.#ends);
  }

  /**
   * What came before may not have been written, if the disk was full at that moment: then the row
   * is brought here, and has this time as that of its claim.
   */
  async #end(
    id: JobId,
    attempt: number,
    ending: Ending,
    atMs: number,
    answer: Answer | null,
  ): Promise<void> {
    const { log, store } = this.#deps;
    if ((await store.settle(id, attempt, ending, atMs, answer)) === "settled") return;
    // A durable job's claim was written before it ran, and no row takes the same attempt twice.
    await store.claim(id, attempt, atMs);
    await store.markWorking(id, attempt, atMs);
    if ((await store.settle(id, attempt, ending, atMs, answer)) === "settled") return;
    const row = await store.job(id);
    const why = row === null ? "it has no row" : `it is ${row.state}, attempt ${row.lastAttempt}`;
    log.error({ jobId: id, attempt, why }, "end of a job not written");
  }
}
