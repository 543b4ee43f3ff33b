import type { Clock } from "../../clock.ts";
import { CliFailure, exitCodes } from "../cli-failure.ts";
import type { Shell } from "../shell.ts";

/** Soon at first, for what is short; later no oftener than a person looks. */
const pauseMs = { first: 200, most: 2_000 };

/** A restart of foreman takes seconds, that of its machine minutes; work outlasts both. */
const awayMsMax = 600_000;

export type FollowOptions<Reading> = {
  /** Is to end at once, with whatever error, when the signal comes. */
  readonly read: (signal: AbortSignal) => Promise<Reading>;
  readonly isOver: (reading: Reading) => boolean;
  readonly onReading?: (reading: Reading) => void;
  /** Called once for each time that foreman is away. */
  readonly onAway: (words: string) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/**
 * Reads until it is over; null if `signal` comes first. A foreman that is away meanwhile is waited
 * for, up to ten minutes.
 *
 * @throws what `read` throws, but for the above
 */
export async function follow<Reading>(options: FollowOptions<Reading>): Promise<Reading | null> {
  const { clock, signal } = options;
  let awayAtMs: number | null = null;
  let ms = pauseMs.first;
  while (!signal.aborted) {
    try {
      const reading = await options.read(signal);
      awayAtMs = null;
      options.onReading?.(reading);
      if (options.isOver(reading)) return reading;
    } catch (cause) {
      if (signal.aborted) return null;
      if (!isPassing(cause)) throw cause;
      if (awayAtMs === null) options.onAway(cause.message);
      awayAtMs ??= clock.monotonicMs();
      if (clock.monotonicMs() - awayAtMs > awayMsMax) throw cause;
    }
    await clock.sleep(ms, signal);
    ms = Math.min(ms * 1.5, pauseMs.most);
  }
  return null;
}

function isPassing(cause: unknown): cause is CliFailure {
  if (!(cause instanceof CliFailure)) return false;
  return cause.exitCode === exitCodes.unreachable || cause.exitCode === exitCodes.tryLater;
}

/** Gives `work` a signal that SIGINT aborts; a second SIGINT ends the process as ever. */
export async function interruptible<Result>(
  signals: Shell["signals"],
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  signals.once("SIGINT", onSignal);
  try {
    return await work(interrupt.signal);
  } finally {
    signals.off("SIGINT", onSignal);
  }
}
