/** How often the watchdog looks; product rule. */
export const checkMs = 60_000;

/** The longest rest of a model that cannot be brought back: somebody may have mended its source. */
const restMsMax = 30 * 60_000;

type RequiredFacts = {
  readonly name: string;
  readonly isMissing: boolean;
  /** Monotonic ms; it rests until then after an attempt in vain. */
  readonly notBeforeMs: number;
};

export type WatchdogFacts = {
  readonly nowMs: number;
  /** The target answers, and what it has was read since it does. */
  readonly isListingFresh: boolean;
  readonly isDraining: boolean;
  /** Whether a model is being brought back right now. */
  readonly isAtWork: boolean;
  readonly models: readonly RequiredFacts[];
};

/**
 * The model to bring back now; null for none.
 *
 * 1. None while foreman drains, or while another one is brought back: one at a time, so that two
 *    copies do not share one disk and one line.
 * 2. None unless the target was heard: what it has while it is away, nobody knows.
 * 3. Of the missing models that do not rest, the one that has been due for the longest, so that
 *    one that never comes back does not stand before the others.
 */
export function nextToBringBack(facts: WatchdogFacts): string | null {
  // 1. and 2.
  if (facts.isDraining || facts.isAtWork || !facts.isListingFresh) return null;
  // 3.
  const due = facts.models.filter(
    ({ isMissing, notBeforeMs }) => isMissing && notBeforeMs <= facts.nowMs,
  );
  return due.toSorted((a, b) => a.notBeforeMs - b.notBeforeMs)[0]?.name ?? null;
}

/** How long a model rests after so many attempts in vain, in ms: 1, 2, 4 … 30 minutes. */
export function restMsAfter(failures: number): number {
  return Math.min(checkMs * 2 ** Math.max(0, failures - 1), restMsMax);
}
