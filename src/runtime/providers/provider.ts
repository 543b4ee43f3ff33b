import type { GenerationOutcome, GenerationRequest } from "../generation.ts";

/** The providers there are, by their names on the wire. */
export const providerIds = ["ollama", "nemoclaw", "deterministic_fallback"] as const;

export type ProviderId = (typeof providerIds)[number];

export type ProviderStatus = "online" | "degraded" | "offline";

/** How a provider has done lately; null where nothing was measured. Times in ms. */
export type Telemetry = {
  readonly latency_ms: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
  /** ISO 8601. */
  readonly last_ok_at: string | null;
  readonly last_error: string | null;
  /** Of the latest requests, from 0 to 1; 0 before the first. */
  readonly error_rate: number;
  /** Requests that wait for it or run. */
  readonly queue_depth: number;
  readonly tokens_per_second: number | null;
};

/** Somebody who answers a chat. */
export interface Provider {
  readonly id: ProviderId;
  readonly status: ProviderStatus;
  /** The models that it has, as far as is known. */
  readonly models: readonly string[];
  /** The model for a request that names none; null if it has none to offer. */
  readonly defaultModel: string | null;
  readonly telemetry: Telemetry;
  /**
   * Whether it takes a request for that model: another name than `models` tells may be known to it,
   * such as an alias.
   */
  hasModel(model: string): boolean;
  /** Asks once, its own retries included. Never rejects; `signal` ends it as a passing failure. */
  generate(
    request: GenerationRequest,
    options: { readonly model: string; readonly signal: AbortSignal },
  ): Promise<GenerationOutcome>;
}
