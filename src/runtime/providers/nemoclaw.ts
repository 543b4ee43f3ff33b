import pLimit from "p-limit";
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import { Refresher } from "../../target/refresher.ts";
import { failure, type GenerationOutcome, type GenerationRequest } from "../generation.ts";
import { Asker } from "./asker.ts";
import { withoutKey } from "./attempt.ts";
import { openaiChat, readModelList } from "./openai-chat.ts";
import { type EndpointReply, OpenaiEndpoint } from "./openai-endpoint.ts";
import type { GenerateOptions, Provider, ProviderStatus, Telemetry } from "./provider.ts";
import { Vitals } from "./vitals.ts";

/** How often it is asked for its models, which shows as well that it is there. */
const probeEveryMs = { there: 60_000, away: 10_000 };
const probeTimeoutMs = 10_000;

/** Questions for its models in a row that went unanswered, before it counts as away. */
const missesMax = 2;

type NemoclawOptions = {
  /** Ends in /v1. */
  readonly baseUrl: string;
  readonly key: string | null;
  /** The only models to be asked for, the first of them by default; empty for what it lists. */
  readonly models: readonly string[];
  /** Requests at once. */
  readonly concurrency: number;
  /** Requests that run or wait. */
  readonly depthMax: number;
  /** The longest single try, in ms. */
  readonly timeoutMs: number;
  readonly answerBytesMax: number;
  readonly clock: Clock;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
  readonly log: Log;
};

/** A hosted endpoint that speaks OpenAI's API. It has its own line, and never waits for the GPU. */
export class NemoclawProvider implements Provider {
  readonly id = "nemoclaw";
  readonly isConfigured = true;
  readonly #options: NemoclawOptions;
  readonly #log: Log;
  readonly #endpoint: OpenaiEndpoint;
  readonly #asker: Asker;
  readonly #vitals: Vitals;
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #probes = new Refresher(() => this.#probe());
  readonly #stop = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #listed: readonly string[] = [];
  #misses = 0;
  #depth = 0;

  constructor(options: NemoclawOptions) {
    const { answerBytesMax, clock, concurrency, log } = options;
    this.#options = options;
    this.#log = log.child({ component: "nemoclaw" });
    this.#vitals = new Vitals(clock);
    this.#limit = pLimit(concurrency);
    this.#endpoint = new OpenaiEndpoint({ ...options, bodyBytesMax: answerBytesMax });
    const onOpen = () => {
      this.#log.warn("nemoclaw fails again and again: left alone for a while");
      this.#vitals.noteAway("it fails again and again");
    };
    this.#asker = new Asker({ ...options, endpoint: this.#endpoint, onOpen });
  }

  get status(): ProviderStatus {
    return this.#vitals.status;
  }

  get problem(): string | null {
    return this.#vitals.problem;
  }

  get telemetry(): Telemetry {
    return this.#vitals.telemetry(this.#depth);
  }

  get models(): readonly string[] {
    const { models } = this.#options;
    return models.length > 0 ? models : this.#listed;
  }

  defaultModel(isOn: (model: string) => boolean): string | null {
    return this.models.find(isOn) ?? null;
  }

  hasModel(model: string): boolean {
    return this.models.includes(model);
  }

  modelKey(model: string): string {
    return model;
  }

  refreshModels(): Promise<void> {
    return this.#probes.refresh();
  }

  /** Asks for its models from now on. */
  start(): void {
    this.#loop = this.#watch();
  }

  /** Cuts what runs. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await this.#endpoint.close();
  }

  /**
   * 1. A model that the settings do not name is not asked for. 2. While it asks to be left alone,
   * or as many wait as may, the answer is no. 3. The rest waits for its turn.
   */
  async generate(
    request: GenerationRequest,
    { model, signal: asker }: GenerateOptions,
  ): Promise<GenerationOutcome> {
    const { depthMax, models } = this.#options;
    // 1.
    if (models.length > 0 && !models.includes(model)) {
      const names = models.join(", ");
      return failure("model_not_found", `model '${model}' is not in NEMOCLAW_MODELS (${names})`);
    }
    // 2.
    const { paused } = this.#asker;
    if (paused !== null) return paused;
    if (this.#depth >= depthMax) {
      return failure("provider_busy", `${depthMax} requests wait for nemoclaw already`);
    }
    // 3.
    const signal = AbortSignal.any([asker, this.#stop.signal]);
    if (signal.aborted) return gone;
    const left = Promise.withResolvers<GenerationOutcome>();
    const leave = () => left.resolve(gone);
    signal.addEventListener("abort", leave);
    this.#depth += 1;
    try {
      // Its place is free when it has left, though a retry may be asleep until it would begin.
      const ask = () =>
        Promise.race([this.#ask(openaiChat(request, model), model, signal), left.promise]);
      return await Promise.race([this.#limit(ask), left.promise]);
    } finally {
      this.#depth -= 1;
      signal.removeEventListener("abort", leave);
    }
  }

  async #ask(body: string, model: string, signal: AbortSignal): Promise<GenerationOutcome> {
    const { clock } = this.#options;
    if (signal.aborted) return gone;
    // It may have begun to ask for it while this request waited for its turn.
    const { paused } = this.#asker;
    if (paused !== null) return paused;
    const startedAtMs = clock.monotonicMs();
    const { outcome, problem, wasAsked } = await this.#asker.ask(body, model, signal);
    if (wasAsked) this.#note(outcome, problem, clock.monotonicMs() - startedAtMs);
    return outcome;
  }

  #note(outcome: GenerationOutcome, problem: string | null, ms: number): void {
    if (outcome.kind === "answered") {
      const { completion_tokens: completionTokens } = outcome.usage;
      this.#vitals.noteThere();
      this.#vitals.noteAnswered({ latencyMs: ms, generationMs: ms, completionTokens });
      return;
    }
    const { code } = outcome;
    if (blameless.has(code)) return;
    this.#log.warn({ code, problem }, "nemoclaw failed");
    this.#vitals.noteFailed(problem ?? code);
  }

  async #watch(): Promise<void> {
    const { clock, random } = this.#options;
    while (!this.#stop.signal.aborted) {
      await this.refreshModels();
      const ms = this.status === "offline" ? probeEveryMs.away : probeEveryMs.there;
      // A tenth more at most, so that several daemons do not ask in step.
      await clock.sleep(ms * (1 + random() / 10), this.#stop.signal);
    }
  }

  async #probe(): Promise<void> {
    const { signal } = this.#stop;
    const request = { method: "GET", path: "/models", timeoutMs: probeTimeoutMs, signal } as const;
    const reply = await this.#endpoint.ask(request);
    if (signal.aborted) return;
    const problem = problemOf(reply);
    if (problem === null) {
      this.#noteListed(reply);
      return;
    }
    this.#misses += problem.misses;
    if (this.#misses < missesMax && this.status !== "offline") return;
    const message = withoutKey(problem.message, this.#options.key);
    if (this.status !== "offline") this.#log.warn({ problem: message }, "nemoclaw away");
    this.#vitals.noteAway(message);
  }

  #noteListed(reply: EndpointReply): void {
    const listed = reply.kind === "answer" ? readModelList(reply.body) : null;
    if (listed !== null) this.#listed = listed;
    this.#misses = 0;
    // A server may answer this and fail at its work: then it stays left alone.
    if (!this.#asker.isOpen) this.#vitals.noteThere();
  }
}

const gone = failure("cancelled", "whoever asked has gone");

/** What says nothing against the provider. */
const blameless: ReadonlySet<string> = new Set([
  "cancelled",
  "provider_refused",
  "model_not_found",
  "answer_too_large",
]);

/**
 * What an answer to the question for its models says against it, and how much; null for nothing. A
 * server that knows no such route, or is asked too often, is there all the same.
 */
function problemOf(reply: EndpointReply): { readonly message: string; misses: number } | null {
  if (reply.kind === "failed") return { message: reply.message, misses: 1 };
  const { statusCode } = reply;
  const message = `it answered ${statusCode} to the question for its models`;
  if (statusCode >= 500) return { message, misses: 1 };
  const isKeyRefused = statusCode === 401 || statusCode === 403;
  return isKeyRefused ? { message: `${message}: check NEMOCLAW_API_KEY`, misses: missesMax } : null;
}
