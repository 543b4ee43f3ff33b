import { createHash } from "node:crypto";
import type { Clock } from "../../clock.ts";
import type { EndReason, JobId } from "../../job.ts";
import type { JobChanges } from "../../queue/job-changes.ts";
import { newJob } from "../../queue/new-job.ts";
import type { Queue } from "../../queue/queue.ts";
import { answerBytes } from "../../result/artifacts.ts";
import type { ItemLink, Store, StoredJob } from "../../store/store.ts";
import { findModel } from "../../target/find-model.ts";
import type { Inventory } from "../../target/inventory.ts";
import type { Poller } from "../../target/poller.ts";
import type { FailureCode } from "../failure-codes.ts";
import { failure, type GenerationOutcome, type GenerationRequest } from "../generation.ts";
import { AnswerGatherer } from "../providers/answer-gatherer.ts";
import { nativeChat } from "../providers/native-chat.ts";

const route = "/api/chat";

type ItemQueueDeps = {
  readonly queue: Pick<Queue, "submitDurable">;
  readonly store: Store;
  readonly changes: JobChanges;
  readonly inventory: Inventory;
  readonly poller: Poller;
  readonly clock: Clock;
  /** `FOREMAN_KEEP_ALIVE`; null to leave it to Ollama. */
  readonly keepAlive: string | null;
};

/** What of an item becomes a job of the queue. */
type ItemChat = {
  readonly request: GenerationRequest;
  readonly model: string;
  readonly client: string;
  readonly forItem: ItemLink;
};

/** The way of an item through the queue, which it does not wait for: its job is found again. */
export class ItemQueue {
  readonly #deps: ItemQueueDeps;

  constructor(deps: ItemQueueDeps) {
    this.#deps = deps;
  }

  /**
   * Has the item wait as a batch job. Answers the job's id once it is on the disk; `unwanted` when
   * the item has ended; or why the target will not take it.
   *
   * @throws ForemanError as `Queue.submitDurable`
   */
  async submit(chat: ItemChat): Promise<JobId | "unwanted" | GenerationOutcome> {
    const { clock, keepAlive, queue } = this.#deps;
    const { client, forItem, model: name, request } = chat;
    const { body, loadOptions } = nativeChat(request, { model: name, keepAlive });
    const model = await findModel(name, this.#deps);
    if (model === "unknown") return failure("model_not_found", `model '${name}' not found`);
    const bodyHash = createHash("sha256").update(body).digest("hex");
    const work = { body, bodyHash, client, loadOptions, model: name, route };
    const job = newJob(work, { clock, isDurable: true, class: "batch" });
    const nobody = { idempotencyKey: null, webhookUrl: null, hasClient: false };
    const submission = { ...nobody, job, body, forItem };
    const { kind } = await queue.submitDurable(submission);
    return kind === "queued" ? job.id : "unwanted";
  }

  /** Resolves with what the job came to; null when `signal` aborts before. */
  async hear(id: JobId, signal: AbortSignal): Promise<GenerationOutcome | null> {
    const job = await this.#ended(id, signal);
    if (job === "stopped") return null;
    if (job === null) return failure("cancelled", "its job is no longer there");
    const answer = await this.#deps.store.answer(id);
    if (answer !== null) return await outcomeOf(job, answer);
    const { message, reason } = job.ending ?? { message: null, reason: null };
    return failure(codesOfReasons[reason ?? "target_failed"] ?? "provider_failed", message ?? "");
  }

  async #ended(id: JobId, signal: AbortSignal): Promise<StoredJob | null | "stopped"> {
    const { changes, store } = this.#deps;
    const stopped = aborted(signal);
    while (!signal.aborted) {
      const changed = Promise.withResolvers<void>();
      // Followed first: what is committed between the reading and the wait is not missed.
      const unfollow = changes.follow(id, changed.resolve);
      try {
        const job = await store.job(id);
        if (job === null || job.ending !== null) return job;
        await Promise.race([changed.promise, stopped]);
      } finally {
        unfollow();
      }
    }
    return "stopped";
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Reads the kept answer as a chat's would be read that came from the target this moment. */
async function outcomeOf(
  { model }: StoredJob,
  kept: NonNullable<Awaited<ReturnType<Store["answer"]>>>,
): Promise<GenerationOutcome> {
  const bytes = await answerBytes(kept);
  return await new Promise((resolve) => {
    const gatherer = new AnswerGatherer({
      model,
      // It was bounded when it was kept.
      bytesMax: bytes.length,
      onOutcome: resolve,
      onTooLarge: () => {},
    });
    const rawHeaders = ["Content-Type", kept.contentType];
    gatherer.head({ statusCode: kept.statusCode, statusText: "", rawHeaders, isDelimited: true });
    gatherer.chunk(bytes);
    gatherer.end();
  });
}

const codesOfReasons: { readonly [Reason in EndReason]?: FailureCode } = {
  cancelled_by_user: "cancelled",
  stalled: "provider_timeout",
  run_timeout: "provider_timeout",
  answer_too_large: "answer_too_large",
  poison_item: "poison_item",
  target_refused: "provider_refused",
};
