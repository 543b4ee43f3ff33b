import type { Clock } from "../clock.ts";
import { type Job, type JobClass, newJobId } from "../job.ts";
import { loadKeyOf } from "../target/load-key.ts";

/** What the job is to do, and for whom. */
type Work = {
  readonly client: string;
  /** The path and query that the target is to be asked. */
  readonly route: string;
  readonly body: Buffer;
  readonly bodyHash: string;
  readonly model: string;
  readonly loadOptions: string;
};

type JobOptions = {
  readonly clock: Clock;
  readonly isDurable: boolean;
  readonly class?: JobClass;
};

/** A new job for the queue. */
export function newJob(work: Work, options: JobOptions): Job {
  const enqueuedAtMs = options.clock.wallMs();
  return {
    id: newJobId(enqueuedAtMs),
    class: options.class ?? "interactive",
    client: work.client,
    route: work.route,
    model: work.model,
    loadKey: loadKeyOf(work.model, work.loadOptions),
    isDurable: options.isDurable,
    bodyBytes: work.body.length,
    bodyHash: work.bodyHash,
    enqueuedAtMs,
  };
}
