import type { Clock } from "../../clock.ts";
import { ForemanError } from "../../errors.ts";
import { newJobId } from "../../job.ts";
import type { Log } from "../../log.ts";
import type { BatchSeq, BatchStore, StoredBatch } from "../../store/batch-store.ts";
import type { Problem } from "../../wire/problem.ts";
import type { Ingester } from "./ingester.ts";
import type { BatchSummary } from "./read-batch.ts";

/** Items in one transaction of a clean-up: some milliseconds, so that no commit waits behind it. */
const dropItemsMax = 500;

type IntakeDeps = {
  /** What is wrong with a batch that was read, beside its form; empty if nothing is. */
  readonly judge: (summary: BatchSummary) => Promise<readonly Problem[]>;
  readonly batches: BatchStore;
  readonly ingester: Ingester;
  readonly clock: Clock;
  readonly log: Log;
};

type Submission = {
  readonly client: string;
  readonly body: AsyncIterable<Buffer>;
  /** Unique for the client; a repeated one finds the batch that has it. */
  readonly idempotencyKey: string | null;
};

export type Intake =
  | { readonly kind: "opened"; readonly batch: StoredBatch }
  | { readonly kind: "known"; readonly batch: StoredBatch }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

/**
 * Takes batches in: each whole or not at all. Items go to the disk as they come, in a batch that
 * nobody sees; what opens it is one row.
 */
export class BatchIntake {
  readonly #deps: IntakeDeps;
  readonly #log: Log;
  /** Clean-ups under way. */
  readonly #dropping = new Set<Promise<void>>();

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
    this.#log = deps.log.child({ component: "batches" });
  }

  /** Drops what a dead daemon had not opened. */
  async recover(): Promise<void> {
    for (const seq of await this.#deps.batches.unopenedBatches()) this.#dropLater(seq);
  }

  /**
   * Resolves when the batch is on the disk and will be run.
   *
   * @throws ForemanError as `Ingester.read` and `Store`; `key_reused` if the key has another batch
   */
  async submit(submission: Submission): Promise<Intake> {
    const { batches, clock, ingester } = this.#deps;
    const { body, client } = submission;
    const createdAtMs = clock.wallMs();
    const id = newJobId(createdAtMs);
    const seq = await batches.beginBatch({ id, client, createdAtMs });
    let isOpen = false;
    try {
      const reading = await ingester.read(body, (items) => batches.appendItems(seq, items));
      if (reading.kind === "refused") return reading;
      const problems = await this.#deps.judge(reading.summary);
      if (problems.length > 0) return { kind: "refused", problems };
      const intake = await this.#open(seq, reading.summary, submission.idempotencyKey);
      if (intake !== null) return intake;
      isOpen = true;
      const batch = await batches.batch(id);
      if (batch === null) throw new ForemanError("internal", `batch ${id} is not there`);
      this.#log.info({ batchId: id, client, items: batch.submittedCount }, "batch queued");
      return { kind: "opened", batch };
    } finally {
      if (!isOpen) this.#dropLater(seq);
    }
  }

  /** Resolves when no clean-up is under way. */
  async stop(): Promise<void> {
    await Promise.all(this.#dropping);
  }

  /** Null: it is open now. */
  async #open(
    seq: BatchSeq,
    { after, before, head, itemCount }: BatchSummary,
    idempotencyKey: string | null,
  ): Promise<Intake | null> {
    const { batches } = this.#deps;
    const payloadHash = await batches.hashRequests(seq, before, after);
    const opening = await batches.openBatch(seq, {
      provider: head.provider ?? null,
      model: head.model ?? null,
      jobType: head.job_type,
      requiresApproval: head.requires_approval ?? false,
      payloadHash,
      submittedCount: itemCount,
      idempotencyKey,
    });
    if (opening.kind === "opened") return null;
    if (opening.batch.payloadHash === payloadHash) return opening;
    const message = `the Idempotency-Key was used for another batch, ${opening.batch.id}`;
    throw new ForemanError("key_reused", message);
  }

  #dropLater(seq: BatchSeq): void {
    const dropping = this.#drop(seq)
      .catch((cause: unknown) => this.#log.warn({ err: cause }, "unopened batch not dropped"))
      .finally(() => this.#dropping.delete(dropping));
    this.#dropping.add(dropping);
  }

  async #drop(seq: BatchSeq): Promise<void> {
    const { batches } = this.#deps;
    while ((await batches.dropBatch(seq, dropItemsMax)) === dropItemsMax);
  }
}
