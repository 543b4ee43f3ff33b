import type { JobClass, JobId } from "../job.ts";

export type PreemptFacts = {
  readonly running: readonly {
    readonly jobId: JobId;
    readonly class: JobClass;
    /** It can be put back and run again, with nobody noticing: nobody heard its answer begin. */
    readonly mayRunAgain: boolean;
    readonly ranMs: number;
    /** How often it was put back for a person before. */
    readonly preemptions: number;
    /** It was let through while people waited, because batch work was due. */
    readonly wasDue: boolean;
  }[];
  readonly interactiveWaiting: number;
};

export type PreemptLimits = {
  readonly slots: number;
  /** A batch item that has run longer is let run; 0 for never to preempt. */
  readonly withinMs: number;
};

/** Whoever was put back so often runs to its end, so that every item gets there. */
const preemptionsMax = 3;

/**
 * Which running batch item gives its slot to a person who waits; null for none. Pure.
 * 1. Nobody waits, a slot is free, or preemption is off → none.
 * 2. Of the batch items that may be run again, that have run less than `withinMs`, that were put
 *    back less than three times, and that are not the batch floor's due → the one that ran least.
 */
export function preempt(facts: PreemptFacts, limits: PreemptLimits): JobId | null {
  const { interactiveWaiting, running } = facts;
  // 1.
  if (interactiveWaiting === 0 || running.length < limits.slots) return null;
  // 2.
  let victim: PreemptFacts["running"][number] | null = null;
  for (const job of running) {
    const mayYield =
      job.class === "batch" &&
      job.mayRunAgain &&
      job.ranMs < limits.withinMs &&
      job.preemptions < preemptionsMax &&
      !job.wasDue;
    if (mayYield && (victim === null || job.ranMs < victim.ranMs)) victim = job;
  }
  return victim?.jobId ?? null;
}
