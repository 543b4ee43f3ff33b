import type { providerIds } from "../../wire/provider-id.ts";
import type { GenerationOutcome, GenerationRequest } from "../generation.ts";

export type ProviderId = (typeof providerIds)[number];

export type ProviderStatus = "online" | "degraded" | "offline";

/** How a provider has done lately; null where nothing was measured. Times in ms. */
export type Telemetry = {
  /** From the sending of a request to the end of its answer, without any waiting in foreman. */
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

/** Of a provider that has no requests to measure. */
export const nothingMeasured: Telemetry = {
  latency_ms: null,
  last_ok_at: null,
  last_error: null,
  error_rate: 0,
  queue_depth: 0,
  tokens_per_second: null,
};

export type GenerateOptions = {
  readonly model: string;
  /** Who asks: a token's name, a forwarded user id, or an address. */
  readonly client: string;
  /** Ends the asking: the outcome is `cancelled`. */
  readonly signal: AbortSignal;
  /**
   * Whether to wait for a provider that is away, if it is one whose queue can; otherwise that is a
   * passing failure, at once, so that somebody else may be asked.
   */
  readonly mayWait: boolean;
};

/** Somebody who answers a chat. */
export interface Provider {
  readonly id: ProviderId;
  /** Whether the settings say where it is; otherwise it is offline for good. */
  readonly isConfigured: boolean;
  readonly status: ProviderStatus;
  /** Why it is not online, for a person; null while it is. */
  readonly problem: string | null;
  /** The models that it has, as far as is known. */
  readonly models: readonly string[];
  readonly telemetry: Telemetry;
  /**
   * The model for a request that names none, among those that `isOn` lets pass; null if there is
   * none to offer.
   */
  defaultModel(isOn: (model: string) => boolean): string | null;
  /**
   * Whether it is known to take a request for that model; another name than `models` tells may be
   * known to it, such as an alias.
   */
  hasModel(model: string): boolean;
  /** The spelling that two names share exactly when they are one model to this provider. */
  modelKey(model: string): string;
  /** Asks it anew what it has. Never rejects, and resolves after some seconds at the latest. */
  refreshModels(): Promise<void>;
  /** Asks once, its own retries included. Never rejects. */
  generate(request: GenerationRequest, options: GenerateOptions): Promise<GenerationOutcome>;
}

export type Providers = Readonly<Record<ProviderId, Provider>>;
