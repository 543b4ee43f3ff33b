import type { Clock } from "../clock.ts";
import { ForemanError } from "../errors.ts";
import type { Ending, JobId } from "../job.ts";
import type { Log } from "../log.ts";
import type { WaitingJob } from "../queue/lanes.ts";
import type { Answer, PutBack, Store } from "../store/store.ts";
import { keptAnswer } from "./kept-answer.ts";

/** How soon a row is written again that found the disk full. */
const againMs = 2_000;

type LedgerDeps = { readonly store: Store; readonly clock: Clock; readonly log: Log };

/**
 * Writes down what becomes of jobs. Rows of synchronous jobs are written behind: what fails is
 * logged, and hinders nobody.
 */
export class Ledger {
  readonly #deps: LedgerDeps;

  constructor(deps: LedgerDeps) {
    this.#deps = deps;
  }

  /** Resolves with the body when the claim is on the disk; null: it was not there to be claimed. */
  async claimDurable({ body, job }: WaitingJob, attempt: number): Promise<Buffer | null> {
    const { clock, store } = this.#deps;
    const claimed = store.claim(job.id, attempt, clock.wallMs());
    const [claim, bytes] = await Promise.all([claimed, body ?? store.body(job.id)]);
    return claim === "claimed" && bytes !== null ? Buffer.from(bytes) : null;
  }

  claim(id: JobId, attempt: number): void {
    const { clock, store } = this.#deps;
    this.#behind(id, "claim", store.claim(id, attempt, clock.wallMs()));
  }

  working(id: JobId, attempt: number): void {
    const { clock, store } = this.#deps;
    this.#behind(id, "working", store.markWorking(id, attempt, clock.wallMs()));
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
    const { clock, store } = this.#deps;
    const atMs = clock.wallMs();
    const notBeforeMs = delayMs === 0 ? null : atMs + delayMs;
    const write = () => store.putBack(job.id, attempt, putBack, atMs, notBeforeMs);
    if (job.isDurable) await this.#insist(job.id, "put back", write);
    else this.#behind(job.id, "put back", write());
  }

  settle(id: JobId, attempt: number, ending: Ending): void {
    const atMs = this.#deps.clock.wallMs();
    this.#behind(id, "end", this.#end(id, attempt, ending, atMs, null));
  }

  /**
   * Writes the end of a durable job with its answer: the GPU's work is not to be done twice. Never
   * rejects.
   */
  async settleDurable({ job, waiter }: WaitingJob, attempt: number, ended: Ending): Promise<void> {
    const atMs = this.#deps.clock.wallMs();
    const { answer, ending } = await keptAnswer(waiter, ended);
    await this.#insist(job.id, "end", () => this.#end(job.id, attempt, ending, atMs, answer));
  }

  /** That the job worked may not have been written, if the disk was full at that moment. */
  async #end(
    id: JobId,
    attempt: number,
    ending: Ending,
    atMs: number,
    answer: Answer | null,
  ): Promise<void> {
    const { log, store } = this.#deps;
    if ((await store.settle(id, attempt, ending, atMs, answer)) === "settled") return;
    await store.markWorking(id, attempt, atMs);
    if ((await store.settle(id, attempt, ending, atMs, answer)) === "settled") return;
    log.error({ jobId: id, attempt }, "end of a job not written: another attempt holds it");
  }

  /** While the disk is full, what must be written is held in memory and tried again. */
  async #insist(id: JobId, what: string, write: () => Promise<unknown>): Promise<void> {
    const { clock, log } = this.#deps;
    for (;;) {
      try {
        await write();
        return;
      } catch (cause) {
        log.error({ jobId: id, what, err: cause }, "job's row not written");
        if (!(cause instanceof ForemanError) || cause.code !== "storage_full") return;
        await clock.sleep(againMs);
      }
    }
  }

  #behind(id: JobId, what: string, written: Promise<unknown>): void {
    written.catch((cause: unknown) => {
      this.#deps.log.error({ jobId: id, what, err: cause }, "job's row not written");
    });
  }
}
