import { z } from "zod";
import { providerIds } from "./provider-id.ts";

// What the runtime-LLM API answers. Null where something is not known or has not happened; times
// are ISO 8601 in UTC, durations ms.

const iso = z.iso.datetime();
const provider = z.enum(providerIds);
const count = z.int().min(0);

/** The states of a batch, and of an item. */
export const runtimeStatuses = ["queued", "running", "completed", "failed", "cancelled"] as const;

const status = z.enum(runtimeStatuses);

export const approvalStates = ["pending", "approved", "rejected"] as const;

/** Null where the provider did not count; the tries of a repair are counted together. */
const usage = z
  .object({
    prompt_tokens: count.nullable(),
    completion_tokens: count.nullable(),
    total_tokens: count.nullable(),
  })
  .meta({ id: "Usage" });

const skipped = z
  .array(z.object({ provider, code: z.string(), reason: z.string() }))
  .meta({ description: "The providers that would have come before, and why they did not serve" });

const json = z
  .unknown()
  .optional()
  .meta({ description: "The answer parsed; only where JSON was asked for" });

/** `POST /api/runtime/llm/chat`. */
export const chatAnswer = z
  .object({
    provider,
    model: z.string(),
    content: z.string(),
    json,
    usage,
    finish_reason: z.string().nullable(),
    skipped,
    rule: z.string().meta({ description: "Which branch of the routing rule gave the order" }),
    repairs: count.meta({ description: "How often the answer had to be mended" }),
    latency_ms: z.number().min(0).meta({ description: "From the request to the answer" }),
    queued_ms: z.number().min(0).nullable(),
    job_id: z.string().nullable().meta({ description: "The job of the queue that answered" }),
  })
  .meta({ id: "ChatAnswer" });

/** One line of `GET /api/runtime/llm/providers`. */
export const providerView = z
  .object({
    id: provider,
    status: z.enum(["online", "degraded", "offline"]),
    models: z.array(z.string()),
    latency_ms: z.object({ p50: z.number(), p95: z.number(), p99: z.number() }).nullable(),
    last_ok_at: iso.nullable(),
    last_error: z.string().nullable(),
    error_rate: z.number().min(0).max(1),
    queue_depth: count,
    tokens_per_second: z.number().min(0).nullable(),
    enabled: z.boolean().meta({ description: "False: switched off by the operator" }),
    models_off: z.array(z.string()).meta({ description: "Switched off by the operator" }),
    problem: z.string().nullable().meta({ description: "Why it is not online" }),
  })
  .meta({ id: "Provider" });

/** `GET` and `PUT /api/runtime/llm/providers/order`. */
export const providerOrderView = z
  .object({ order: z.array(provider).nullable() })
  .meta({ id: "ProviderOrderInForce", description: "null while the routing rule decides" });

/** `GET /api/runtime/llm/providers/changes`: newest first. */
export const providerChanges = z
  .object({
    changes: z.array(
      z.object({
        at: iso,
        by: z.string().meta({ description: "The client that made the change" }),
        note: z.string().nullable(),
        order: z.array(provider).nullable().optional(),
        provider: provider.optional(),
        enabled: z.boolean().optional(),
        models: z.record(z.string(), z.boolean()).optional(),
      }),
    ),
  })
  .meta({ id: "ProviderChanges" });

/** `GET /api/runtime/llm/providers`, in the order in which they are asked. */
export const providerList = z
  .object({ providers: z.array(providerView) })
  .meta({ id: "ProviderList" });

/** `GET /api/runtime/llm/jobs/{job_id}`; the five counts sum up to `submitted_count`. */
export const batchView = z
  .object({
    job_id: z.string(),
    status,
    provider: z.string().nullable(),
    model: z.string().nullable(),
    submitted_count: count,
    completed_count: count,
    failed_count: count,
    queued_count: count,
    running_count: count,
    cancelled_count: count,
    job_type: z.string(),
    requires_approval: z.boolean(),
    payload_hash: z.string().regex(/^[0-9a-f]{64}$/),
    created_at: iso,
    started_at: iso.nullable(),
    ended_at: iso.nullable(),
    failure_reason: z.string().nullable(),
  })
  .meta({ id: "BatchJob" });

/** `POST /api/runtime/llm/jobs/{job_id}/retry`. */
export const batchRetried = batchView
  .extend({ retried: count.meta({ description: "Items that failed and wait again" }) })
  .meta({ id: "BatchRetried" });

/** `GET /api/runtime/llm/jobs`. */
export const batchList = z
  .object({ jobs: z.array(batchView), next: count.nullable() })
  .meta({ id: "BatchJobList" });

const approval = z.object({
  state: z.enum(approvalStates),
  by: z.string().nullable(),
  at: iso.nullable(),
  note: z.string().nullable(),
});

const itemError = z.object({
  code: z.string().meta({ description: "In a word, for programs; docs/api.md has the list" }),
  message: z.string().meta({ description: "What happened and what to do, for a person" }),
});

/** One item: of a results page, a line of JSONL, or asked for by its `request_id`. */
export const resultView = z
  .object({
    request_id: z.string(),
    status,
    provider: z.string().nullable(),
    model: z.string().nullable(),
    content: z.string().nullable(),
    json,
    error: itemError.nullable(),
    previous_error: itemError
      .nullable()
      .meta({ description: "What it failed by before it was retried" }),
    usage: usage.nullable(),
    finish_reason: z.string().nullable(),
    repairs: count,
    payload_hash: z.string().regex(/^[0-9a-f]{64}$/),
    started_at: iso.nullable(),
    ended_at: iso.nullable(),
    approval: approval.nullable().meta({ description: "Null where nobody has to approve it" }),
  })
  .meta({ id: "Result" });

/** `GET /api/runtime/llm/jobs/{job_id}/results`. */
export const resultsPage = z
  .object({ job_id: z.string(), status, results: z.array(resultView), next: count.nullable() })
  .meta({ id: "ResultsPage" });

/** One event of `GET /api/runtime/llm/jobs/{job_id}/events`; a hub may send it on as it is. */
export const batchEvent = z
  .object({
    event_type: z.string(),
    campaign_name: z.string().meta({ description: "job_type/job_id" }),
    value: z.number().min(0).max(1).meta({ description: "How much of the batch has ended" }),
    timestamp: iso,
    job_id: z.string(),
    status,
    submitted_count: count,
    completed_count: count,
    failed_count: count,
    cancelled_count: count,
  })
  .meta({ id: "BatchEvent" });

export type ChatAnswer = z.output<typeof chatAnswer>;
