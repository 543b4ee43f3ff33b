import { ForemanError } from "../errors.ts";

export type AdmissionFacts = {
  readonly isDraining: boolean;
  /** False: an operator wants nothing new to come in. */
  readonly isOpen: boolean;
  /** Jobs that wait. */
  readonly depth: number;
  readonly depthMax: number;
  /** Of them, those that wait for a model which is being brought back; 0 for a job of another. */
  readonly heldDepth: number;
};

/** When a client that was turned away may come back; OpenAI's SDKs obey it. */
const retryAfterS = 10;

/** Ollama's own words (server/sched.go), two spaces included: clients match on them. */
const busy = "server busy, please try again.  maximum pending requests exceeded";

/**
 * Whether a request may join the queue: null, or the error to refuse it with.
 * 1. Draining, or closed by an operator → `draining`; the latter in Ollama's words for a server
 *    that takes no more: foreman stays, and clients know them.
 * 2. As many wait as may → `queue_full`.
 * 3. So does one more job of a missing model, once such jobs have half of the places: they may wait
 *    for an hour, and must not shut out those whose model is there.
 */
export function admit(facts: AdmissionFacts): ForemanError | null {
  const { depth, depthMax, heldDepth, isDraining, isOpen } = facts;
  // 1.
  if (isDraining) return drainingError();
  if (!isOpen) return closedError();
  // 2. and 3.
  const isFull = depth >= depthMax || (heldDepth > 0 && heldDepth >= depthMax / 2);
  return isFull ? new ForemanError("queue_full", busy, { retryAfterS }) : null;
}

/** What whoever comes or waits hears while foreman goes. */
export function drainingError(): ForemanError {
  const message = "foreman is shutting down; try again in a moment";
  return new ForemanError("draining", message, { retryAfterS });
}

/** What whoever comes hears while an operator drains foreman, which goes on with what is in. */
export function closedError(): ForemanError {
  return new ForemanError("draining", busy, { retryAfterS });
}

/** What whoever waited for `waitMsMax` hears. */
export function timeoutError(waitMsMax: number): ForemanError {
  const message = `waited longer than FOREMAN_QUEUE_TIMEOUT (${waitMsMax / 1_000} s)`;
  return new ForemanError("queue_timeout", message, { retryAfterS });
}
