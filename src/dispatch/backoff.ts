/** The first and the longest wait of a job that the target failed; between them it doubles. */
const baseMs = 1_000;
const delayMsMax = 60_000;

/** What a target may ask for at most: it knows better, but not for hours. */
const retryAfterMsMax = 600_000;

/**
 * How long a job waits after its failed attempt number `attempt` (from 1), in ms: full jitter, so
 * that jobs which failed together do not come back together, or what the target itself asked for.
 *
 * @param retryAfterMs null if the target did not ask for any time
 * @param random from 0 to 1
 */
export function backoffMs(attempt: number, retryAfterMs: number | null, random: number): number {
  if (retryAfterMs !== null) return Math.min(retryAfterMs, retryAfterMsMax);
  return Math.ceil(random * Math.min(baseMs * 2 ** (attempt - 1), delayMsMax));
}
