import type { Clock } from "../clock.ts";
import { ForemanError } from "../errors.ts";
import type { Ending, JobId } from "../job.ts";
import type { Log } from "../log.ts";
import type { WaitingJob } from "../queue/lanes.ts";
import type { PutBack, Store } from "../store/store.ts";
import { keptAnswer } from "./kept-answer.ts";

/** How soon the end of a job is written again that found the disk full. */
const settleAgainMs = 2_000;

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
    this.#behind(id, "working", this.#deps.store.markWorking(id, attempt));
  }

  /** `delayMs`: it shall not run again before. */
  putBack(id: JobId, attempt: number, putBack: PutBack, delayMs: number): void {
    const { clock, store } = this.#deps;
    const notBeforeMs = delayMs === 0 ? null : clock.wallMs() + delayMs;
    this.#behind(id, "put back", store.putBack(id, attempt, putBack, notBeforeMs));
  }

  settle(id: JobId, attempt: number, ending: Ending): void {
    const { clock, store } = this.#deps;
    this.#behind(id, "end", store.settle(id, attempt, ending, clock.wallMs()));
  }

  /**
   * Writes the end of a durable job with its answer. While the disk is full both are held in memory
   * and tried again: the GPU's work is not to be done twice. Never rejects.
   */
  async settleDurable({ job, waiter }: WaitingJob, attempt: number, ended: Ending): Promise<void> {
    const { clock, log, store } = this.#deps;
    const atMs = clock.wallMs();
    const { answer, ending } = await keptAnswer(waiter, ended);
    for (;;) {
      try {
        await store.settle(job.id, attempt, ending, atMs, answer);
        return;
      } catch (cause) {
        log.error({ jobId: job.id, err: cause }, "end of a job not written");
        if (!(cause instanceof ForemanError) || cause.code !== "storage_full") return;
        await clock.sleep(settleAgainMs);
      }
    }
  }

  #behind(id: JobId, what: string, written: Promise<unknown>): void {
    written.catch((cause: unknown) => {
      this.#deps.log.error({ jobId: id, what, err: cause }, "job's row not written");
    });
  }
}
