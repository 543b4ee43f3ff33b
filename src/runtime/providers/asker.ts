import { DelegateBackoff, handleWhenResult, retry } from "cockatiel";
import type { Clock } from "../../clock.ts";
import { failure, type GenerationFailure, type GenerationOutcome } from "../generation.ts";
import { type Attempt, attemptOf } from "./attempt.ts";
import { Circuit } from "./circuit.ts";
import type { OpenaiEndpoint } from "./openai-endpoint.ts";

/** After the first try. */
const retriesMax = 2;

/** Full jitter below a bound that doubles: who failed together does not come together. */
const backoff = { baseMs: 500, msMax: 8_000 };

/** Who asks to be left alone for longer is not waited for, and not asked until then. */
const patienceMs = 10_000;
const pauseMsMax = 600_000;

type AskerOptions = {
  readonly endpoint: OpenaiEndpoint;
  readonly key: string | null;
  /** The longest single try, in ms. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
  /** It failed again and again, and is left alone for a while. */
  readonly onOpen: () => void;
};

type Asked = {
  readonly outcome: GenerationOutcome;
  /** Whether the endpoint was asked at all. */
  readonly wasAsked: boolean;
  /** See `Attempt`. */
  readonly problem: string | null;
};

/**
 * Asks a hosted endpoint as often as it makes sense: again after what may pass in a moment, not at
 * all while it is down or asks to be left alone.
 */
export class Asker {
  readonly #options: AskerOptions;
  readonly #circuit: Circuit;
  #pause: { readonly untilMs: number; readonly outcome: GenerationFailure } | null = null;

  constructor(options: AskerOptions) {
    this.#options = options;
    this.#circuit = new Circuit(options);
  }

  /** Whether it is left alone because it failed. */
  get isOpen(): boolean {
    return this.#circuit.isOpen;
  }

  /** What whoever comes hears while it asks to be left alone; null when it may be asked. */
  get paused(): GenerationOutcome | null {
    if (this.#pause === null) return null;
    const restMs = this.#pause.untilMs - this.#options.clock.monotonicMs();
    return restMs > 0 ? { ...this.#pause.outcome, retryAfterMs: restMs } : null;
  }

  /** Never rejects. An abort may take effect as late as the next try would begin. */
  async ask(body: string, model: string, signal: AbortSignal): Promise<Asked> {
    const { endpoint, key, random, timeoutMs } = this.#options;
    const request = { method: "POST", path: "/chat/completions", body, timeoutMs, signal } as const;
    let outcome: GenerationOutcome | null = null;
    let problem: string | null = null;
    let tries = 0;
    let delayMs = 0;
    let isRetriable = false;
    const policy = retry(
      handleWhenResult(() => isRetriable),
      { maxAttempts: retriesMax, backoff: new DelegateBackoff(() => delayMs) },
    );
    await policy.execute(async () => {
      const attempt = await this.#circuit.try(async () =>
        attemptOf(await endpoint.ask(request), { model, key }),
      );
      // The circuit opened meanwhile: what was heard last stands.
      isRetriable = false;
      if (attempt === null) return;
      ({ outcome, problem } = attempt);
      const ceilingMs = Math.min(backoff.baseMs * 2 ** tries, backoff.msMax);
      delayMs = this.#noteRetryAfter(attempt) ?? Math.ceil(random() * ceilingMs);
      isRetriable = attempt.isRetriable && delayMs <= patienceMs;
      tries += 1;
    }, signal);
    return { outcome: outcome ?? open, wasAsked: outcome !== null, problem };
  }

  /**
   * When it asked to be asked again, in ms; null if it did not say. A request that is at fault
   * itself holds nobody up. What others hear has none of the endpoint's words, which may repeat the
   * prompt, and is no failed try of theirs: they were not asked.
   */
  #noteRetryAfter({ outcome, problem }: Attempt): number | null {
    if (outcome.kind === "answered") return null;
    const { code, isPassing, retryAfterMs } = outcome;
    if (isPassing && retryAfterMs !== null && retryAfterMs > patienceMs) {
      const untilMs = this.#options.clock.monotonicMs() + Math.min(retryAfterMs, pauseMsMax);
      const told = code === "rate_limited" ? code : "provider_unavailable";
      const message = `${problem ?? "nemoclaw failed"}, and asks to be left alone`;
      this.#pause = { untilMs, outcome: failure(told, message) };
    }
    return retryAfterMs;
  }
}

const open = failure("provider_unavailable", "it failed again and again, and is left alone");
