import type { Clock } from "../../clock.ts";
import { ForemanError } from "../../errors.ts";
import type { JobId } from "../../job.ts";
import type { Log } from "../../log.ts";
import type { BatchStore, ItemEnd, OpenItem, StoredBatch } from "../../store/batch-store.ts";
import { batchItem } from "../../wire/runtime.ts";
import { type AnswerChatDeps, answerChat } from "../answer-chat.ts";
import {
  failure,
  type GenerationFailure,
  type GenerationOutcome,
  type GenerationRequest,
} from "../generation.ts";
import type { OutputCheck } from "../output/output-check.ts";
import { askedBy } from "../providers/asked-by.ts";
import type { ProviderId } from "../providers/provider.ts";
import { readGeneration } from "../read-generation.ts";
import { type CheckedAnswer, nextStep } from "../repair.ts";
import type { ItemQueue } from "./item-queue.ts";

/** So many items of batches came to that end. */
export type OnItemsEnded = (status: ItemEnd["status"], count: number) => void;

/** How soon a provider that is away, or busy, is asked again. */
const againMs = 5_000;

export type ItemRunDeps = AnswerChatDeps & {
  readonly batches: BatchStore;
  readonly itemQueue: ItemQueue;
  readonly outputCheck: Pick<OutputCheck, "check">;
  readonly clock: Clock;
  readonly log: Log;
  readonly onItemsEnded: OnItemsEnded;
  readonly repairsMax: number;
  /** How often a provider that was reached, and failed, is asked about one item. */
  readonly attemptsMax: number;
};

/** Why an item is left before its end: the daemon goes, or its batch was cancelled. */
export type LeaveItem = "stopped" | "cancelled";

/**
 * Sees an item to its end, wherever a life before this one left it. Never rejects. When `signal`
 * aborts, its reason is a `LeaveItem`: `stopped` leaves the item open, for the next life.
 */
export async function runItem(
  item: OpenItem,
  batch: StoredBatch,
  { deps, signal }: { readonly deps: ItemRunDeps; readonly signal: AbortSignal },
): Promise<void> {
  const { clock, log } = deps;
  const run = new ItemRun(item, batch, { deps, signal });
  while (!run.isStopped) {
    try {
      return await run.run();
    } catch (cause) {
      const code = cause instanceof ForemanError ? cause.code : "internal";
      // The end of this life: the next one finds the item open.
      if (code === "draining" || code === "storage_failed") return;
      // A full disk gets room again, and a folder that was moved away comes back.
      if (code !== "storage_full" && code !== "storage_lost") {
        const facts = { batchId: batch.id, requestId: item.requestId, err: cause };
        log.error(facts, "item of a batch failed, by a fault of foreman's");
        run.giveUp();
      }
      // A batch that was cancelled has nothing more to break this off.
      await clock.sleep(againMs, signal.aborted ? undefined : signal);
    }
  }
}

class ItemRun {
  readonly #item: OpenItem;
  readonly #batch: StoredBatch;
  readonly #deps: ItemRunDeps;
  readonly #signal: AbortSignal;
  /** Of the latest asking; null as long as no job of the queue stands for the item. */
  #queueJob: JobId | null;
  #repairs: number;
  #attempts = 0;
  /** The item has ended by other hands. */
  #isLost = false;
  #isGivenUp = false;

  constructor(
    item: OpenItem,
    batch: StoredBatch,
    { deps, signal }: { readonly deps: ItemRunDeps; readonly signal: AbortSignal },
  ) {
    this.#item = item;
    this.#batch = batch;
    this.#deps = deps;
    this.#signal = signal;
    this.#queueJob = item.queueJob;
    this.#repairs = item.repairs;
  }

  get isStopped(): boolean {
    return this.#signal.aborted && this.#signal.reason === "stopped";
  }

  /** What foreman cannot do now, it cannot do the next time: another run stores that it failed. */
  giveUp(): void {
    this.#isGivenUp = true;
  }

  async run(): Promise<void> {
    if (this.#isGivenUp) {
      const message = "foreman failed on this item; its log says why";
      return await this.#end({
        ...{ status: "failed", error: { code: "internal", message } },
        ...this.#facts(null),
      });
    }
    const request = await this.#request();
    if (request === null) return;
    let asked = request;
    let heard = this.#queueJob === null ? null : await this.#hear(this.#queueJob);
    for (;;) {
      const { outcome, provider } = heard ?? (await this.#ask(asked));
      heard = null;
      if (this.isStopped || this.#isLost) return;
      if (outcome.kind === "failed") {
        if (!this.#mayAskAgain(outcome, provider)) return await this.#fail(outcome, provider);
        await this.#rest(outcome);
        continue;
      }
      const step = await this.#judge(request, outcome);
      if (step.kind === "done") return await this.#complete(step.answer, provider);
      if (step.kind === "failed") return await this.#fail(step.failure, provider);
      this.#repairs += 1;
      asked = step.request;
    }
  }

  /** Null: the item has ended, and nobody needs its request. */
  async #request(): Promise<GenerationRequest | null> {
    const bytes = await this.#deps.batches.request(this.#item);
    if (bytes === null) return null;
    return readGeneration(batchItem.parse(JSON.parse(Buffer.from(bytes).toString("utf8"))));
  }

  async #ask(request: GenerationRequest): Promise<Heard> {
    const { client, jobType, model } = this.#batch;
    const { nemoclaw, ollama, ...others } = this.#deps.providers;
    const provider = providerOf(this.#batch);
    const facts = { provider, model, jobType, client, signal: this.#signal };
    return await answerChat(request, facts, {
      ...this.#deps,
      providers: {
        ...others,
        nemoclaw: askedBy(nemoclaw, async (asked, options) => {
          const { batches, clock } = this.#deps;
          await batches.startItem(this.#item, nemoclaw.id, clock.wallMs());
          return await nemoclaw.generate(asked, options);
        }),
        ollama: askedBy(ollama, async (asked, options) => {
          if (!options.mayWait && ollama.status === "offline") {
            return failure("provider_unavailable", ollama.problem ?? "it is offline");
          }
          return await this.#queue(asked, options.model);
        }),
      },
    });
  }

  async #queue(request: GenerationRequest, model: string): Promise<GenerationOutcome> {
    const { batch, itemNo } = this.#item;
    const forItem = { batch, itemNo, replaces: this.#queueJob };
    const { client } = this.#batch;
    const queued = await this.#deps.itemQueue.submit({ request, model, client, forItem });
    if (typeof queued === "object") return queued;
    if (queued === "unwanted") {
      this.#isLost = true;
      return failure("cancelled", "the item has ended");
    }
    this.#queueJob = queued;
    return (await this.#hear(queued)).outcome;
  }

  async #hear(id: JobId): Promise<Heard> {
    // A cancel ends the job in the queue, and is heard of there.
    const stopped = new AbortController();
    const stop = () => {
      if (this.isStopped) stopped.abort();
    };
    this.#signal.addEventListener("abort", stop);
    stop();
    const outcome = await this.#deps.itemQueue.hear(id, stopped.signal);
    this.#signal.removeEventListener("abort", stop);
    return { outcome: outcome ?? failure("draining", "foreman stops"), provider: "ollama" };
  }

  /** What the queue gives up on it has tried often enough by itself. */
  #mayAskAgain({ code, isPassing }: GenerationFailure, provider: ProviderId | null): boolean {
    if (!isPassing || this.#signal.aborted || provider === "ollama") return false;
    const isCounted = code === "provider_failed" || code === "provider_timeout";
    if (isCounted) this.#attempts += 1;
    return this.#attempts < this.#deps.attemptsMax;
  }

  async #rest({ retryAfterMs }: GenerationFailure): Promise<void> {
    const { batches, clock } = this.#deps;
    await batches.restItem(this.#item);
    await clock.sleep(Math.max(againMs, retryAfterMs ?? 0), this.#signal);
  }

  async #judge(request: GenerationRequest, answer: CheckedAnswer) {
    const { outputCheck, repairsMax } = this.#deps;
    const { responseFormat: format } = request;
    const verdict = format.kind === "text" ? null : await outputCheck.check(answer.content, format);
    return nextStep({ request, answer, verdict, repairs: this.#repairs, repairsMax });
  }

  async #complete(answer: CheckedAnswer, provider: ProviderId | null): Promise<void> {
    const { content, finishReason, model, usage } = answer;
    const result = {
      ...{ content, finishReason, isJson: "json" in answer },
      promptTokens: usage.prompt_tokens,
      completionTokens: usage.completion_tokens,
    };
    await this.#end({ status: "completed", result, ...this.#facts(provider), model });
  }

  async #fail({ code, message }: GenerationFailure, provider: ProviderId | null): Promise<void> {
    const isCancelled = code === "cancelled" || this.#signal.reason === "cancelled";
    const error = isCancelled
      ? { code: "cancelled", message: "it was cancelled before it was answered" }
      : { code, message };
    const status = isCancelled ? "cancelled" : "failed";
    await this.#end({ status, error, ...this.#facts(provider) });
  }

  #facts(provider: ProviderId | null) {
    const { clock } = this.#deps;
    return { provider, model: null, repairs: this.#repairs, atMs: clock.wallMs() };
  }

  async #end(end: ItemEnd): Promise<void> {
    const { batches, onItemsEnded } = this.#deps;
    if ((await batches.endItem(this.#item, end)) === "ended") onItemsEnded(end.status, 1);
  }
}

type Heard = { readonly outcome: GenerationOutcome; readonly provider: ProviderId | null };

function providerOf({ provider }: StoredBatch): ProviderId | null {
  const isChosen = provider === "ollama" || provider === "nemoclaw";
  return isChosen || provider === "deterministic_fallback" ? provider : null;
}
