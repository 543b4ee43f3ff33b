import { type Clock, wallMsOf } from "./clock.ts";

/**
 * For how long a server asks to be left alone, in ms, by its Retry-After: seconds, or a date (RFC
 * 9110 §10.2.3). Null if it does not say, or says anything else. Bounded by nobody.
 *
 * @param header of several the first counts
 */
export function retryAfterMsOf(
  header: string | readonly string[] | null | undefined,
  clock: Clock,
): number | null {
  const text = typeof header === "object" ? header?.[0] : header;
  if (text === undefined) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const atMs = wallMsOf(text);
  return atMs === null ? null : Math.max(0, atMs - clock.wallMs());
}
