import { type FailureCode, failureCodes } from "./failure-codes.ts";

/** One message of a conversation; the texts of its parts are in one piece. */
export type Message = {
  readonly role: string;
  readonly content: string;
  /** In base64, as Ollama takes them; see `imageTypeOf`. */
  readonly images?: readonly string[];
};

/** What shape the answer shall have; a schema is a JSON Schema. */
export type ResponseFormat =
  | { readonly kind: "text" }
  | { readonly kind: "json" }
  | { readonly kind: "schema"; readonly schema: object };

/** What answers when no provider can: the request brings it along. */
type Fallback = { readonly content: string };

/** What is asked of a model, by whichever provider; one chat, or one item of a batch. */
export type GenerationRequest = {
  /** The client's system prompt stands in front of them already. */
  readonly messages: readonly Message[];
  /** Sampling, in OpenAI's words; absent ones are left to the provider. */
  readonly sampling: {
    readonly temperature?: number;
    readonly top_p?: number;
    readonly max_tokens?: number;
    readonly seed?: number;
    readonly stop?: readonly string[];
  };
  /** Ollama's own options, such as num_ctx; other providers pass over them. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly think: boolean | string | null;
  readonly responseFormat: ResponseFormat;
  readonly fallback: Fallback | null;
};

/** Null where the provider did not count. */
export type Usage = {
  readonly prompt_tokens: number | null;
  readonly completion_tokens: number | null;
};

/** An answer as its provider gave it. */
export type GenerationAnswer = {
  readonly kind: "answered";
  readonly content: string;
  readonly model: string;
  readonly usage: Usage;
  /** The provider's word, such as `stop` or `length`; null if it gave none. */
  readonly finishReason: string | null;
  /** Of an answer that came through the queue. */
  readonly wait?: { readonly jobId: string; readonly queuedMs: number };
};

/** What one asking came to. */
export type GenerationOutcome = GenerationAnswer | GenerationFailure;

export type GenerationFailure = {
  readonly kind: "failed";
  readonly code: FailureCode;
  /** What happened and what to do, for a person. */
  readonly message: string;
  /** The provider is away or busy: the same request may do later. */
  readonly isPassing: boolean;
  /** When the provider asks to be asked again; null if it did not say. */
  readonly retryAfterMs: number | null;
};

/** A failure; `retryAfterMs` where the provider said when to come back. */
export function failure(
  code: FailureCode,
  message: string,
  retryAfterMs: number | null = null,
): GenerationFailure {
  const { isPassing } = failureCodes[code];
  return { kind: "failed", code, message, isPassing, retryAfterMs };
}
