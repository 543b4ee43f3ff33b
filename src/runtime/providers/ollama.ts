import { createHash } from "node:crypto";
import type { Clock } from "../../clock.ts";
import type { Ending, EndReason } from "../../job.ts";
import type { LeaveReason } from "../../queue/leave-reason.ts";
import { newJob } from "../../queue/new-job.ts";
import type { Queue } from "../../queue/queue.ts";
import { findModel } from "../../target/find-model.ts";
import type { Inventory } from "../../target/inventory.ts";
import { canonicalModelName } from "../../target/model-name.ts";
import type { Poller } from "../../target/poller.ts";
import type { Target } from "../../target/target.ts";
import { parseModelRef } from "../../wire/model-ref.ts";
import type { TagsModel } from "../../wire/ollama.ts";
import { failure, type GenerationOutcome, type GenerationRequest } from "../generation.ts";
import { AnswerGatherer } from "./answer-gatherer.ts";
import { nativeChat } from "./native-chat.ts";
import type { GenerateOptions, Provider, ProviderStatus, Telemetry } from "./provider.ts";
import { Vitals } from "./vitals.ts";

const route = "/api/chat";
const rawHeaders = ["Content-Type", "application/json"];

/** How long a target may take to tell what it has, before what is known of it is taken. */
const refreshMsMax = 3_000;

/** The ends of jobs that are the target's fault, and no client's. */
const faults: ReadonlySet<EndReason | null> = new Set<EndReason>([
  "run_timeout",
  "stalled",
  "target_failed",
  "target_lost",
  "incomplete_answer",
]);

export type OllamaDeps = {
  readonly queue: Queue;
  readonly target: Target;
  readonly inventory: Inventory;
  readonly poller: Poller;
  readonly clock: Clock;
  /** How many generations run, of whoever asked for them. */
  readonly runningCount: () => number;
  /** `FOREMAN_KEEP_ALIVE`; null to leave it to Ollama. */
  readonly keepAlive: string | null;
  readonly answerBytesMax: number;
};

/** A job of the target that came to its end, whoever asked for it. Times in ms. */
type EndedRun = {
  readonly ending: Ending;
  readonly ranMs: number;
  /** What of it the target spent on loading the model. */
  readonly loadMs: number;
};

/** The Ollama behind foreman, through the queue. */
export class OllamaProvider implements Provider {
  readonly id = "ollama";
  readonly isConfigured = true;
  readonly #deps: OllamaDeps;
  readonly #vitals: Vitals;
  /** Waiting chats that somebody else may answer: told when the target goes away. */
  readonly #impatient = new Set<() => void>();

  constructor(deps: OllamaDeps) {
    this.#deps = deps;
    this.#vitals = new Vitals(deps.clock);
  }

  get status(): ProviderStatus {
    return this.#vitals.status;
  }

  get problem(): string | null {
    return this.#vitals.problem;
  }

  get telemetry(): Telemetry {
    const { queue, runningCount } = this.#deps;
    return this.#vitals.telemetry(queue.depth + runningCount());
  }

  get models(): readonly string[] {
    return this.#chatModels().map(({ name }) => name);
  }

  /** One that is loaded, which spares a swap; else the one that was changed last. */
  defaultModel(isOn: (model: string) => boolean): string | null {
    const models = this.#chatModels().filter(({ name }) => isOn(name));
    const loaded = models.find((model) => this.#deps.inventory.isLoaded(model));
    return (loaded ?? models[0])?.name ?? null;
  }

  hasModel(model: string): boolean {
    const { inventory } = this.#deps;
    return inventory.find(model) !== null || inventory.isMissing(model);
  }

  modelKey(model: string): string {
    return canonicalModelName(model) ?? model;
  }

  async refreshModels(): Promise<void> {
    const { clock, poller } = this.#deps;
    const enough = new AbortController();
    await Promise.race([poller.refresh(), clock.sleep(refreshMsMax, enough.signal)]);
    enough.abort();
  }

  /** The target's state may have changed. */
  noteTarget(): void {
    const { awaySinceMs, lastError, presence } = this.#deps.poller.state;
    if (presence === "present" || presence === "returning") this.#vitals.noteThere();
    // At start the target counts as away though nobody has asked it yet.
    if (presence !== "away" || awaySinceMs === null) return;
    this.#vitals.noteAway(lastError ?? "it does not answer");
    // Not at once: whoever told it may be in the middle of putting such a job back into its lane.
    queueMicrotask(() => {
      for (const giveUp of [...this.#impatient]) giveUp();
    });
  }

  noteEnded({ ending, loadMs, ranMs }: EndedRun): void {
    const { completionTokens, message, reason, state } = ending;
    if (state === "done") {
      const generationMs = Math.max(0, ranMs - loadMs);
      this.#vitals.noteAnswered({ latencyMs: ranMs, generationMs, completionTokens });
    } else if (faults.has(reason)) {
      this.#vitals.noteFailed(message ?? "it failed");
    }
  }

  /**
   * A chat's way to the model. 1. What runs elsewhere by its name needs no GPU, and goes straight.
   * 2. A model that the target does not have, asked once more, is told as Ollama tells it. 3. A
   * target that is away, or lacks a required model, is waited for, or not. 4. The rest waits in
   * the queue.
   */
  async generate(request: GenerationRequest, options: GenerateOptions): Promise<GenerationOutcome> {
    const { keepAlive } = this.#deps;
    const { model: name, mayWait, signal } = options;
    const chat = nativeChat(request, { model: name, keepAlive });
    // 1.
    if (isInCloud(name)) return await this.#askDirectly(chat.body, options);
    // 2.
    const model = await findModel(name, this.#deps);
    if (signal.aborted) return gone;
    if (model === "unknown") return failure("model_not_found", `model '${name}' not found`);
    if (model?.remote_host) return await this.#askDirectly(chat.body, options);
    // 3.
    if (!mayWait && this.#deps.poller.state.presence === "away") return this.#away();
    if (!mayWait && this.#deps.inventory.isMissing(name)) {
      return failure("provider_unavailable", `Ollama lacks ${name}, which is being brought back`);
    }
    // 4.
    return await this.#queue(chat, options);
  }

  #queue(
    chat: ReturnType<typeof nativeChat>,
    { client, mayWait, model: name, signal }: GenerateOptions,
  ): Promise<GenerationOutcome> {
    const { answerBytesMax, clock, queue } = this.#deps;
    const bodyHash = createHash("sha256").update(chat.body).digest("hex");
    const work = { ...chat, bodyHash, client, route, model: name };
    const job = newJob(work, { clock, isDurable: false });
    return new Promise((resolve) => {
      const leave = (why: LeaveReason, outcome: GenerationOutcome) => {
        queue.leave(job.id, why);
        finish(outcome);
      };
      const goAway = () => leave("client_gone", gone);
      const giveUp = () => leave("client_gone", this.#away());
      const finish = (outcome: GenerationOutcome) => {
        signal.removeEventListener("abort", goAway);
        this.#impatient.delete(giveUp);
        resolve(outcome);
      };
      const waiter = new AnswerGatherer({
        model: name,
        bytesMax: answerBytesMax,
        onOutcome: finish,
        onTooLarge: () => queue.leave(job.id, "answer_too_large"),
      });
      signal.addEventListener("abort", goAway);
      if (!mayWait) this.#impatient.add(giveUp);
      const refusal = queue.submit({ job, method: "POST", rawHeaders, body: chat.body, waiter });
      if (refusal !== null) waiter.refuse(refusal);
    });
  }

  /** Past the queue, to the target. */
  #askDirectly(body: Buffer, { model, signal }: GenerateOptions): Promise<GenerationOutcome> {
    return new Promise((resolve) => {
      const finish = (outcome: GenerationOutcome) => {
        signal.removeEventListener("abort", cut);
        resolve(signal.aborted ? gone : outcome);
      };
      const gatherer = new AnswerGatherer({
        model,
        bytesMax: this.#deps.answerBytesMax,
        onOutcome: finish,
        onTooLarge: () => exchange.abort(),
      });
      const request = { method: "POST", path: route, rawHeaders, body };
      const exchange = this.#deps.target.send(request, gatherer);
      function cut(): void {
        exchange.abort();
      }
      signal.addEventListener("abort", cut);
      if (signal.aborted) cut();
    });
  }

  #away(): GenerationOutcome {
    const problem = this.#deps.poller.state.lastError ?? "it does not answer";
    return failure("provider_unavailable", `Ollama is away: ${problem}`);
  }

  #chatModels(): TagsModel[] {
    return [...this.#deps.inventory.models.values()].filter(isForChat);
  }
}

const gone = failure("cancelled", "whoever asked has gone");

/** An older Ollama does not say what its models can do; then embedders are known by their kind. */
function isForChat({ capabilities, details }: TagsModel): boolean {
  if (capabilities) return capabilities.includes("completion");
  return !/bert/.test(details?.family ?? "");
}

/** By its name alone: such a model needs neither the GPU nor to be listed. */
function isInCloud(name: string): boolean {
  const ref = parseModelRef(name);
  return ref.kind === "named" && ref.source === "cloud";
}
