import { createHash } from "node:crypto";
import { type Job, newJobId } from "../../src/job.ts";

/** A small request's body. */
export const prompt = Buffer.from('{"model":"m","messages":[]}');

/** A job as the queue would make it, durable unless said otherwise. */
export function aJob(facts: Partial<Job> = {}): Job {
  return {
    id: newJobId(Date.now()),
    class: "interactive",
    client: "ann",
    route: "/api/chat",
    model: "m:latest",
    loadKey: "m|num_ctx=4096",
    isDurable: true,
    bodyBytes: prompt.length,
    bodyHash: createHash("sha256").update(prompt).digest("hex"),
    enqueuedAtMs: 1_700_000_000_000,
    ...facts,
  };
}
