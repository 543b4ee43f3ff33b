type FailureFacts = {
  /** How the failure is told over HTTP. */
  readonly statusCode: number;
  /** The provider is away or busy: the same request may do later. */
  readonly isPassing: boolean;
  /** Whether the next provider in the order is asked instead. */
  readonly mayTryNext: boolean;
};

/** Every way in which a generation can fail; the closed list that answers and rows show. */
export const failureCodes = {
  /** No connection, or the provider says that it is down; or it is known to be away. */
  provider_unavailable: { statusCode: 503, isPassing: true, mayTryNext: true },
  /** As many wait for it as may. */
  provider_busy: { statusCode: 503, isPassing: true, mayTryNext: true },
  /** It asks to be asked less. */
  rate_limited: { statusCode: 429, isPassing: true, mayTryNext: true },
  /** No answer within the time there is. */
  provider_timeout: { statusCode: 504, isPassing: true, mayTryNext: true },
  /** It broke: an error of its own, half an answer, or one that makes no sense. */
  provider_failed: { statusCode: 502, isPassing: true, mayTryNext: true },
  /** Its address or its key is wrong, or missing: an operator must look. */
  provider_misconfigured: { statusCode: 502, isPassing: false, mayTryNext: true },
  /** The operator switched the provider, or the model, off. */
  switched_off: { statusCode: 503, isPassing: true, mayTryNext: true },
  model_not_found: { statusCode: 404, isPassing: false, mayTryNext: true },
  /** The request is at fault, in the provider's eyes; its words say why. */
  provider_refused: { statusCode: 400, isPassing: false, mayTryNext: false },
  /** `deterministic_fallback` was asked for by a request that brings no fallback. */
  fallback_missing: { statusCode: 422, isPassing: false, mayTryNext: false },
  answer_too_large: { statusCode: 502, isPassing: false, mayTryNext: false },
  /** What came was not of the shape that was asked for, also after the repairs. */
  invalid_output: { statusCode: 502, isPassing: false, mayTryNext: false },
  /** Whoever asked has gone, or cancelled it. */
  cancelled: { statusCode: 409, isPassing: true, mayTryNext: false },
  /** Foreman is shutting down. */
  draining: { statusCode: 503, isPassing: true, mayTryNext: false },
} as const satisfies Readonly<Record<string, FailureFacts>>;

export type FailureCode = keyof typeof failureCodes;

/** What an HTTP status that is no success says of the provider that gave it. */
export function codeOfStatus(statusCode: number): FailureCode {
  switch (statusCode) {
    case 401:
    case 403:
      return "provider_misconfigured";
    case 404:
      return "model_not_found";
    case 408:
    case 504:
      return "provider_timeout";
    case 429:
      return "rate_limited";
    case 502:
    case 503:
      return "provider_unavailable";
    default:
      return codeOfClass(Math.trunc(statusCode / 100));
  }
}

function codeOfClass(hundreds: number): FailureCode {
  // Redirects are not followed: the address in the settings is not the right one.
  if (hundreds === 3) return "provider_misconfigured";
  return hundreds === 4 ? "provider_refused" : "provider_failed";
}
