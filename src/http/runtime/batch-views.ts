import { isoTime } from "../../clock.ts";
import type { StoredBatch, StoredItem } from "../../store/batch-store.ts";

/** A batch as the runtime-LLM API shows it. */
export function batchView(batch: StoredBatch) {
  return {
    job_id: batch.id,
    status: batch.status,
    provider: batch.provider,
    model: batch.model,
    submitted_count: batch.submittedCount,
    completed_count: batch.completedCount,
    failed_count: batch.failedCount,
    queued_count: batch.queuedCount,
    running_count: batch.runningCount,
    cancelled_count: batch.cancelledCount,
    job_type: batch.jobType,
    requires_approval: batch.requiresApproval,
    payload_hash: batch.payloadHash,
    created_at: isoTime(batch.createdAtMs),
    started_at: isoTime(batch.startedAtMs),
    ended_at: isoTime(batch.endedAtMs),
    failure_reason: batch.failureReason,
  };
}

/** An item of a batch, with its result or its error once it has one. */
export function resultView(item: StoredItem) {
  const { approval, result } = item;
  return {
    request_id: item.requestId,
    status: item.status,
    provider: item.provider,
    model: item.model,
    content: result?.content ?? null,
    ...(result?.isJson && { json: JSON.parse(result.content) as unknown }),
    error: item.error,
    previous_error: item.previousError,
    usage: result && usageView(result.promptTokens, result.completionTokens),
    finish_reason: result?.finishReason ?? null,
    repairs: item.repairs,
    payload_hash: item.payloadHash,
    started_at: isoTime(item.startedAtMs),
    ended_at: isoTime(item.endedAtMs),
    approval: approval && {
      state: approval.state,
      by: approval.by,
      at: isoTime(approval.atMs),
      note: approval.note,
    },
  };
}

function usageView(promptTokens: number | null, completionTokens: number | null) {
  const isCounted = promptTokens !== null && completionTokens !== null;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: isCounted ? promptTokens + completionTokens : null,
  };
}
