import { setTimeout as delay } from "node:timers/promises";

/** A pending call; `cancel` is idempotent and safe after the call was made. */
export type Timer = { cancel(): void };

/** The only source of time. Two readings, because a wall clock may jump and a duration must not. */
export interface Clock {
  /** Milliseconds since the epoch: for people and for rows, never for subtraction. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start, never going back: for every duration. */
  monotonicMs(): number;
  /** Calls `fn` once after `ms`. The timer does not keep the process alive. */
  after(ms: number, fn: () => void): Timer;
  /** Resolves after `ms`, or at once (without an error) when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(ms, fn) {
    const timeout = setTimeout(fn, ms);
    timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
  sleep: (ms, signal) => pause(ms, false, signal),
};

/** For a command, which has nothing else to stay alive for: its sleep keeps the process. */
export const foregroundClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => pause(ms, true, signal),
};

async function pause(ms: number, ref: boolean, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, { ref, ...(signal && { signal }) });
  } catch (cause) {
    if (!signal?.aborted) throw cause;
  }
}

/** What a date in an HTTP header (RFC 9110 §5.6.7) reads on the wall clock; null if it is none. */
export function wallMsOf(httpDate: string): number | null {
  const wallMs = httpDate.endsWith(" GMT") ? Date.parse(httpDate) : Number.NaN;
  return Number.isNaN(wallMs) ? null : wallMs;
}

/** A wall clock reading for people and JSON, such as 2026-11-20T22:00:00.000Z; null stays null. */
export function isoTime(wallMs: number): string;
export function isoTime(wallMs: number | null): string | null;
export function isoTime(wallMs: number | null): string | null {
  return wallMs === null ? null : new Date(wallMs).toISOString();
}

/** The wall clock reading, in ms, that `isoTime` wrote as this text. */
export function wallMsOfIso(iso: string): number {
  return Date.parse(iso);
}
