import type { z } from "zod";
import type { JobDocument } from "../../wire/jobs.ts";
import type { batchView } from "../../wire/runtime-answers.ts";
import { durationText } from "./duration-text.ts";
import { facts } from "./facts.ts";

export type BatchView = z.output<typeof batchView>;

/** One job for a person, without its answer. */
export function jobText(job: JobDocument): string {
  return facts([
    ["job", job.job_id],
    ["state", job.state],
    ["model", job.model],
    ["class", job.priority],
    ["client", job.client],
    ["position", job.position],
    ["why", job.reason],
    ["starts in", durationText(job.eta_ms)],
    ["attempts", job.attempts],
    ["created", job.created_at],
    ["started", job.started_at],
    ["ended", job.ended_at],
    ["error", errorWords(job)],
    ["tokens", tokensOf(job)],
    ["artifacts", job.artifacts.map(({ bytes, name }) => `${name} (${bytes} B)`).join(", ")],
  ]);
}

/** One batch for a person. */
export function batchText(batch: BatchView): string {
  return facts([
    ["batch", batch.job_id],
    ["status", batch.status],
    ["job type", batch.job_type],
    ["provider", batch.provider],
    ["model", batch.model],
    ["items", batch.submitted_count],
    ["queued", batch.queued_count],
    ["running", batch.running_count],
    ["completed", batch.completed_count],
    ["failed", batch.failed_count],
    ["cancelled", batch.cancelled_count],
    ["created", batch.created_at],
    ["started", batch.started_at],
    ["ended", batch.ended_at],
    ["error", batch.failure_reason],
  ]);
}

/** Why a job did not end well; null if it did, or has not ended. */
export function errorWords({ error }: JobDocument): string | null {
  if (error === null) return null;
  return error.message === null ? error.code : `${error.code}: ${error.message}`;
}

function tokensOf({ usage }: JobDocument): string | null {
  if (usage === null) return null;
  return `${usage.prompt_tokens ?? "?"} read, ${usage.completion_tokens ?? "?"} written`;
}
