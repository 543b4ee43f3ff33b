import type { Clock } from "../clock.ts";
import { type Job, type JobClass, newJobId } from "../job.ts";
import { loadKeyOf } from "../target/load-key.ts";
import type { Call } from "./call.ts";

/** What was read of the request. */
type Work = {
  readonly body: Buffer;
  readonly bodyHash: string;
  readonly model: string;
  readonly loadOptions: string;
};

type JobOptions = {
  readonly clock: Clock;
  readonly isDurable: boolean;
  readonly class?: JobClass;
  /** Where the target is to be asked, if not where the client asked. */
  readonly route?: string;
};

/** The job that a request is about. */
export function newJob(call: Pick<Call, "client" | "url">, work: Work, options: JobOptions): Job {
  const enqueuedAtMs = options.clock.wallMs();
  return {
    id: newJobId(enqueuedAtMs),
    class: options.class ?? "interactive",
    client: call.client,
    route: options.route ?? call.url,
    model: work.model,
    loadKey: loadKeyOf(work.model, work.loadOptions),
    isDurable: options.isDurable,
    bodyBytes: work.body.length,
    bodyHash: work.bodyHash,
    enqueuedAtMs,
  };
}
