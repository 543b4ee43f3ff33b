import type { Problem } from "./wire/problem.ts";

/**
 * Every way in which operating foreman can fail, with the HTTP status that it maps to.
 * Expected outcomes (a lost claim, a stale attempt) are returned, not thrown, and so are not here.
 */
const errorCodes = {
  bad_request: 400,
  body_too_large: 413,
  unsupported_encoding: 415,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  invalid_request: 422,
  model_not_found: 404,
  queue_full: 503,
  events_full: 503,
  client_events_full: 429,
  draining: 503,
  queue_timeout: 503,
  cancelled: 409,
  key_reused: 409,
  gone: 410,
  not_pending: 409,
  batch_cancelled: 409,
  still_paused: 409,
  no_history: 409,
  backup_refused: 409,
  storage_full: 507,
  storage_lost: 503,
  storage_failed: 500,
  target_unreachable: 502,
  target_broke_off: 502,
  target_refused: 502,
  target_timeout: 504,
  request_loop: 508,
  internal: 500,
  config_invalid: 500,
  already_running: 500,
  schema_newer: 500,
  database_damaged: 500,
} as const;

export type ErrorCode = keyof typeof errorCodes;

/**
 * What an error of Node's or undici's says; of a name with several addresses, what each one said.
 */
export function causeText(cause: Error): string {
  if (cause instanceof AggregateError && cause.message === "") {
    return cause.errors.map(String).join("; ");
  }
  return cause.message || codeOf(cause) || cause.name;
}

/** Node's word for an error, such as ECONNREFUSED; empty if it has none. */
export function codeOf(cause: Error): string {
  return "code" in cause && typeof cause.code === "string" ? cause.code : "";
}

/** An operating error. The message names the cause and what to do about it. */
export class ForemanError extends Error {
  override readonly name = "ForemanError";
  readonly code: ErrorCode;
  /** Seconds after which trying again makes sense, if that is known. */
  readonly retryAfterS: number | null;
  /** What Ollama says where it fails like that: on its routes clients match on it. */
  readonly ollamaWords: string | null;
  /** What is wrong with a request, member by member; empty for every other code. */
  readonly problems: readonly Problem[];

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      cause?: unknown;
      retryAfterS?: number;
      ollamaWords?: string;
      problems?: readonly Problem[];
    } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retryAfterS = options.retryAfterS ?? null;
    this.ollamaWords = options.ollamaWords ?? null;
    this.problems = options.problems ?? [];
  }

  get statusCode(): number {
    return errorCodes[this.code];
  }
}

/** Whether that is an operating error of that code. */
export function hasCode(cause: unknown, code: ErrorCode): boolean {
  return cause instanceof ForemanError && cause.code === code;
}
