import { type Job, newJobId } from "../../src/job.ts";
import type { Submission } from "../../src/queue/submission.ts";
import { RecordingWaiter } from "../support/recording-waiter.ts";

/** What a client's request to chat becomes; its waiter keeps what the client hears. */
export function aSubmission(facts: Partial<Job> = {}): Submission & { waiter: RecordingWaiter } {
  const body = Buffer.from('{"model":"m"}');
  const job: Job = {
    id: newJobId(1),
    class: "interactive",
    client: "ann",
    route: "/api/chat",
    model: "m",
    loadKey: "d1",
    isDurable: false,
    bodyBytes: body.length,
    bodyHash: "",
    enqueuedAtMs: 1,
    ...facts,
  };
  const rawHeaders = ["Content-Type", "application/json", "X-Client", job.client];
  return { job, method: "POST", rawHeaders, body, waiter: new RecordingWaiter() };
}
