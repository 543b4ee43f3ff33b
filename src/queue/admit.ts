import { ForemanError } from "../errors.ts";

export type AdmissionFacts = {
  readonly isDraining: boolean;
  /** Interactive jobs that wait, and the bytes of their bodies. */
  readonly depth: number;
  readonly queuedBytes: number;
  readonly bodyBytes: number;
};

export type AdmissionLimits = {
  readonly depthMax: number;
  readonly queuedBytesMax: number;
};

/** When a client that was turned away may come back; OpenAI's SDKs obey it. */
const retryAfterS = 10;

/** Ollama's own words (server/sched.go), two spaces included: clients match on them. */
const busy = "server busy, please try again.  maximum pending requests exceeded";

/**
 * Whether a request may join the queue: null, or the error to refuse it with.
 * 1. Draining → `draining`. 2. As many wait as may → `queue_full`. 3. Their bodies would not fit
 * into memory → `queue_full`.
 */
export function admit(facts: AdmissionFacts, limits: AdmissionLimits): ForemanError | null {
  // 1.
  if (facts.isDraining) {
    return new ForemanError("draining", "foreman is shutting down; try again in a moment", {
      retryAfterS,
    });
  }
  // 2. and 3.
  const isFull = facts.depth >= limits.depthMax;
  const isHeavy = facts.queuedBytes + facts.bodyBytes > limits.queuedBytesMax;
  return isFull || isHeavy ? new ForemanError("queue_full", busy, { retryAfterS }) : null;
}
