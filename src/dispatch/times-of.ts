import type { Took } from "./run-job.ts";
import type { Running } from "./slots.ts";

/** What a run took, in ms. */
export type Times = {
  /** From joining the queue to its start. */
  readonly waitedMs: number;
  readonly ranMs: number;
  /** Of `ranMs`, spent on getting the model ready; 0 if the target did not say. */
  readonly loadMs: number;
  /** From its start to the first byte of a streamed answer; null for others, and before it. */
  readonly firstByteMs: number | null;
  /**
   * Spent on writing the answer: by the target's word, else from the first byte of a streamed
   * answer to its end; null for others.
   */
  readonly generationMs: number | null;
};

/** Of a run that ends now. */
export function timesOf(running: Running, { evalMs, loadMs }: Took, nowMs: number): Times {
  const { run, startedAtMs, waiting } = running;
  const { firstByteAtMs, tokens } = run.progress;
  const streamedAtMs = tokens === null ? null : firstByteAtMs;
  return {
    waitedMs: startedAtMs - waiting.joinedAtMs,
    ranMs: nowMs - startedAtMs,
    loadMs: loadMs ?? 0,
    firstByteMs: streamedAtMs === null ? null : streamedAtMs - startedAtMs,
    generationMs: evalMs ?? (streamedAtMs === null ? null : nowMs - streamedAtMs),
  };
}
