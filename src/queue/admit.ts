import { ForemanError } from "../errors.ts";

/** Who drains foreman, which goes on with what is in; `since` is ISO 8601, by the wall clock. */
export type Closing = {
  readonly since: string;
  readonly by: string;
  readonly note: string | null;
};

export type AdmissionFacts = {
  readonly isDraining: boolean;
  /** An operator's wish that nothing new comes in; null: there is none. */
  readonly closing: Closing | null;
  /** Jobs that wait. */
  readonly depth: number;
  readonly depthMax: number;
  /** Of them, those that wait for a model which is being brought back; 0 for a job of another. */
  readonly heldDepth: number;
};

/** When a client that was turned away may come back; OpenAI's SDKs obey it. */
const retryAfterS = 10;

/** Ollama's own words (server/sched.go), two spaces included: clients match on them. */
const ollamaWords = "server busy, please try again.  maximum pending requests exceeded";

/**
 * Whether a request may join the queue: null, or the error to refuse it with.
 * 1. Draining, or drained by an operator → `draining`.
 * 2. As many wait as may → `queue_full`.
 * 3. So does one more job of a missing model, once such jobs have half of the places: they may wait
 *    for an hour, and must not shut out those whose model is there.
 * While foreman stays, Ollama's clients are told in its words for a server that takes no more.
 */
export function admit(facts: AdmissionFacts): ForemanError | null {
  const { depth, depthMax, heldDepth, isDraining, closing } = facts;
  // 1.
  if (isDraining) return drainingError();
  if (closing !== null) return closedError(closing);
  // 2.
  if (depth >= depthMax)
    return fullError(`${depth} clients wait, and FOREMAN_QUEUE_MAX is ${depthMax}`);
  // 3.
  if (heldDepth === 0 || heldDepth < depthMax / 2) return null;
  const share = "half of FOREMAN_QUEUE_MAX";
  return fullError(`${heldDepth} clients wait for models that are missing, ${share}`);
}

/** What whoever comes or waits hears while foreman goes. */
export function drainingError(): ForemanError {
  const message = "foreman is shutting down; try again in a moment";
  return new ForemanError("draining", message, { retryAfterS });
}

/** What whoever comes hears while an operator drains foreman. */
export function closedError({ by, note, since }: Closing): ForemanError {
  const why = note === null ? "" : `: ${note}`;
  const message = `foreman is draining since ${since} by ${by}${why}`;
  return new ForemanError("draining", message, { retryAfterS, ollamaWords });
}

function fullError(why: string): ForemanError {
  return new ForemanError("queue_full", `the queue is full: ${why}`, { retryAfterS, ollamaWords });
}

/** What whoever waited for `waitMsMax` hears. */
export function timeoutError(waitMsMax: number): ForemanError {
  const message = `waited longer than FOREMAN_QUEUE_TIMEOUT (${waitMsMax / 1_000} s)`;
  return new ForemanError("queue_timeout", message, { retryAfterS });
}
