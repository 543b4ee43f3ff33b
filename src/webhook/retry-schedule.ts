const seconds = 1_000;
const minutes = 60 * seconds;
const hours = 60 * minutes;

/**
 * How long a delivery waits after its first failed try, its second, and so on. The first ones cover
 * a receiver that is restarted, the last ones a weekend: 71 h 43 min in all.
 */
const waitsMs = [
  5 * seconds,
  30 * seconds,
  2 * minutes,
  10 * minutes,
  30 * minutes,
  1 * hours,
  2 * hours,
  4 * hours,
  8 * hours,
  12 * hours,
  20 * hours,
  24 * hours,
];

/** What a receiver may ask for at most: the longest wait of the schedule. */
const retryAfterMsMax = 24 * hours;

/** By so much a wait is shorter or longer, so that what failed together comes back apart. */
const jitter = 0.2;

/**
 * How long a delivery waits, in ms, that has failed `tries` times (from 1); null: it is given up. A
 * receiver may ask for more (`retryAfterMs`), never for less, which would use the tries up in vain.
 *
 * @param random from 0 to 1
 */
export function retryWaitMs(
  tries: number,
  retryAfterMs: number | null,
  random: number,
): number | null {
  const waitMs = waitsMs[tries - 1];
  if (waitMs === undefined) return null;
  const jitteredMs = Math.round(waitMs * (1 - jitter + 2 * jitter * random));
  return Math.max(jitteredMs, Math.min(retryAfterMs ?? 0, retryAfterMsMax));
}
