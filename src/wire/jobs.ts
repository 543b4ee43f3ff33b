import { z } from "zod";

// What `/jobs` takes and answers. Null where something is not known or has not happened; times are
// ISO 8601 in UTC.

const iso = z.iso.datetime();
const count = z.int().min(0);
const priority = z.enum(["interactive", "batch"]);
const state = z.enum(["queued", "loading", "working", "done", "failed", "cancelled"]);
const pageLimitMax = 1_000;

/**
 * `POST /jobs`, for its description alone: the body is a native request that goes to Ollama byte
 * for byte; foreman's members are read by `readJobWishes`.
 */
export const jobSubmission = z
  .looseObject({
    model: z.string(),
    messages: z.array(z.looseObject({})).optional(),
    prompt: z.string().optional(),
    priority: priority.optional(),
    idempotency_key: z.string().min(1).max(256).nullish(),
    state_webhook_url: z.string().nullish(),
  })
  .meta({
    id: "JobSubmission",
    description: "A native chat or generate request, and foreman's own members beside it",
  });

/** `POST /jobs` answers. */
export const jobSubmitted = z.object({ job_id: z.string() }).meta({ id: "JobSubmitted" });

/** `GET /jobs/{id}`, and one of a list. */
export const jobDocument = z
  .object({
    job_id: z.string(),
    state,
    model: z.string(),
    route: z.string(),
    priority,
    client: z.string(),
    position: count.nullable(),
    reason: z.string().nullable(),
    eta_ms: z.number().min(0).nullable(),
    attempts: count,
    created_at: iso.nullable(),
    started_at: iso.nullable(),
    ended_at: iso.nullable(),
    result: z.string().nullable(),
    error: z.object({ code: z.string(), message: z.string().nullable() }).nullable(),
    usage: z
      .object({ prompt_tokens: count.nullable(), completion_tokens: count.nullable() })
      .nullable(),
    artifacts: z.array(z.object({ name: z.string(), bytes: count, url: z.string() })),
    webhooks_left: count.nullable(),
  })
  .meta({ id: "Job" });

/** `GET /jobs`. */
export const jobListQuery = z.object({
  state: state.optional(),
  model: z.string().optional(),
  client: z.string().optional(),
  after: z.coerce
    .number()
    .int()
    .positive()
    .optional()
    .meta({ description: "`next` of the page before" }),
  limit: z.coerce.number().int().min(1).max(pageLimitMax).default(100),
});

/** `GET /jobs` answers, newest first. */
export const jobList = z
  .object({ jobs: z.array(jobDocument), next: count.nullable() })
  .meta({ id: "JobList" });

/** `POST /jobs/cancel` answers. */
export const jobsCancelled = z.object({ cancelled: count }).meta({ id: "JobsCancelled" });

export type JobDocument = z.output<typeof jobDocument>;
