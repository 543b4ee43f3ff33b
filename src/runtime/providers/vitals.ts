import { type Clock, isoTime } from "../../clock.ts";
import type { ProviderStatus, Telemetry } from "./provider.ts";
import { type ErrorRate, StatusKeeper } from "./status-keeper.ts";

/** What is measured is measured over so many requests at most, none older than this. */
const samplesMax = 200;
const sampleAgeMsMax = 600_000;

/** A provider's words may be a page; the first of them tell what is wrong. */
const problemLettersMax = 300;

/** How one request was answered. */
type Answered = {
  readonly latencyMs: number;
  /** What of it was spent on the answer itself. */
  readonly generationMs: number;
  /** Null if it was not counted. */
  readonly completionTokens: number | null;
};

/** `answered` is null for a request that failed. */
type Sample = { readonly atMs: number; readonly answered: Answered | null };

/** How a provider does: measured on its requests, and on what is known of its being there. */
export class Vitals {
  readonly #clock: Clock;
  readonly #keeper: StatusKeeper;
  #samples: readonly Sample[] = [];
  #lastOkAtMs: number | null = null;
  #lastError: string | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#keeper = new StatusKeeper(clock);
  }

  noteAnswered(answered: Answered): void {
    this.#add(answered);
    this.#lastOkAtMs = this.#clock.wallMs();
  }

  /** A request failed by the provider's fault. */
  noteFailed(problem: string): void {
    this.#add(null);
    this.#lastError = shortened(problem);
    this.#keeper.noteFailed(this.#errors());
  }

  /** It answered something, if only a question about its models. */
  noteThere(): void {
    this.#keeper.noteThere();
    this.#lastOkAtMs = this.#clock.wallMs();
  }

  noteAway(problem: string): void {
    this.#keeper.noteAway();
    this.#lastError = shortened(problem);
  }

  get status(): ProviderStatus {
    return this.#keeper.status(this.#errors());
  }

  /** Why it is not online, for a person; null while it is. */
  get problem(): string | null {
    return this.status === "online" ? null : (this.#lastError ?? "it has not been reached yet");
  }

  telemetry(queueDepth: number): Telemetry {
    const answered = this.#recent().flatMap((sample) => sample.answered ?? []);
    return {
      latency_ms: percentiles(answered.map(({ latencyMs }) => latencyMs)),
      last_ok_at: isoTime(this.#lastOkAtMs),
      last_error: this.#lastError,
      error_rate: rounded(this.#errors().rate, 3),
      queue_depth: queueDepth,
      tokens_per_second: tokensPerSecond(answered),
    };
  }

  #add(answered: Answered | null): void {
    const kept = this.#samples.slice(1 - samplesMax);
    this.#samples = [...kept, { atMs: this.#clock.monotonicMs(), answered }];
  }

  #recent(): readonly Sample[] {
    const sinceMs = this.#clock.monotonicMs() - sampleAgeMsMax;
    return this.#samples.filter(({ atMs }) => atMs >= sinceMs);
  }

  #errors(): ErrorRate {
    const recent = this.#recent();
    const failed = recent.filter(({ answered }) => answered === null).length;
    return { rate: failed / Math.max(1, recent.length), samples: recent.length };
  }
}

/** By nearest rank: each is a latency that was measured. Null for none. */
function percentiles(values: readonly number[]): Telemetry["latency_ms"] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  const [p50, p95, p99] = [at(0.5), at(0.95), at(0.99)];
  if (p50 === undefined || p95 === undefined || p99 === undefined) return null;
  return { p50: Math.round(p50), p95: Math.round(p95), p99: Math.round(p99) };
}

function tokensPerSecond(answered: readonly Answered[]): number | null {
  const counted = answered.filter(({ completionTokens }) => completionTokens !== null);
  const ms = sum(counted.map(({ generationMs }) => generationMs));
  if (ms <= 0) return null;
  return rounded(
    (sum(counted.map(({ completionTokens }) => completionTokens ?? 0)) * 1_000) / ms,
    1,
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function rounded(value: number, places: number): number {
  return Math.round(value * 10 ** places) / 10 ** places;
}

function shortened(text: string): string {
  return text.length <= problemLettersMax ? text : `${text.slice(0, problemLettersMax)}…`;
}
