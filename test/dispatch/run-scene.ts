import { type Outcome, Run, type RunLimits } from "../../src/dispatch/run-job.ts";
import type { Job } from "../../src/job.ts";
import type { WaitingJob } from "../../src/queue/lanes.ts";
import { aSubmission } from "../queue/submission.ts";
import { FakeTarget } from "../support/fake-target.ts";
import { ManualClock } from "../support/manual-clock.ts";

type RunFacts = Partial<RunLimits> & { readonly job?: Partial<Job>; readonly attempts?: number };

/** One attempt of a job that waited 250 ms, sent to a target that the test answers for. */
export function startRun({ attempts = 1, job = {}, ...limits }: RunFacts = {}) {
  const clock = new ManualClock();
  const target = new FakeTarget();
  const { waiter, ...submission } = aSubmission(job);
  const joinedAtMs = clock.monotonicMs() - 250;
  const waiting: WaitingJob = {
    ...{ ...submission, waiter, joinedAtMs, attempts },
    ...{ arrival: 1, lastAttempt: attempts, preemptions: 0 },
  };
  const outcomes: Outcome[] = [];
  const seen = { lastLoadedChangeMs: 0, workingCount: 0 };
  const run = new Run(waiting, {
    target,
    clock,
    random: () => 0.5,
    limits: { stallMsMax: 0, runMsMax: 0, attemptsMax: 3, ...limits },
    lastLoadedChangeMs: () => seen.lastLoadedChangeMs,
    onWorking: () => {
      seen.workingCount += 1;
    },
    onOutcome: (outcome) => void outcomes.push(outcome),
  });
  run.start(submission.body);
  return { clock, run, waiter, waiting, outcomes, seen, asked: target.asked[0]! };
}

/** The last line of a native stream. */
export const lastLine =
  '{"message":{"content":""},"done":true,"total_duration":9,"load_duration":2000000,' +
  '"prompt_eval_count":11,"eval_count":22}\n';
