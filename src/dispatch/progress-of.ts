import type { Clock } from "../clock.ts";
import type { JobId } from "../job.ts";
import type { JobProgressEvent } from "../wire/job-events.ts";
import type { Running } from "./slots.ts";
import { type WaitSources, whyWaitingHere } from "./why-waiting.ts";

/** Over less than this a rate is chance. */
const rateMsMin = 200;

/**
 * How a job stands at this moment; null for one that neither runs nor waits in memory: it has
 * ended, rests, or is far behind in the store.
 */
export function progressOf(
  id: JobId,
  sources: WaitSources & { readonly clock: Clock },
): JobProgressEvent | null {
  const { clock, dispatcher } = sources;
  const running = dispatcher.view.running.find(({ waiting }) => waiting.job.id === id);
  if (running !== undefined) return runOf(running, clock.monotonicMs());
  const wait = whyWaitingHere(id, sources);
  if (wait === null) return null;
  const { etaMs, position, reason } = wait;
  return {
    job_id: id,
    state: "queued",
    position,
    reason,
    eta_ms: etaMs === null ? null : Math.round(etaMs),
  };
}

/** Tokens a second since the first of them, to a tenth; null where that says nothing yet. */
export function tokensPerS({ run }: Running, nowMs: number): number | null {
  const { firstByteAtMs, tokens } = run.progress;
  const answeredMs = firstByteAtMs === null ? 0 : nowMs - firstByteAtMs;
  const isRateKnown = tokens !== null && answeredMs >= rateMsMin;
  return isRateKnown ? Math.round((tokens / answeredMs) * 10_000) / 10 : null;
}

function runOf(running: Running, nowMs: number): JobProgressEvent {
  const { attempt, run, startedAtMs, waiting } = running;
  const { firstByteAtMs, tokens } = run.progress;
  return {
    job_id: waiting.job.id,
    state: firstByteAtMs === null ? "loading" : "working",
    attempt,
    ran_ms: Math.round(nowMs - startedAtMs),
    tokens,
    tokens_per_s: tokensPerS(running, nowMs),
  };
}
