import type { JobId } from "../../job.ts";
import type {
  Approval,
  BatchSeq,
  BatchStatus,
  ItemStatus,
  OpenItem,
  StoredBatch,
  StoredItem,
} from "../batch-store.ts";

// As in rows.ts: what the columns hold is asserted here alone, because the schema's checks, and
// that only our own verbs write, are the reason why it holds.

export type SeqRow = { readonly seq: number };

export type BatchRow = {
  readonly seq: number;
  readonly id: string;
  readonly client: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly job_type: string;
  readonly requires_approval: number;
  readonly payload_hash: string | null;
  readonly status: string;
  readonly submitted_count: number;
  readonly queued_count: number;
  readonly running_count: number;
  readonly completed_count: number;
  readonly failed_count: number;
  readonly cancelled_count: number;
  readonly created_at_ms: number;
  readonly started_at_ms: number | null;
  readonly ended_at_ms: number | null;
  readonly failure_reason: string | null;
};

export type ItemRow = {
  readonly job_seq: number;
  readonly item_no: number;
  readonly request_id: string;
  readonly payload_hash: string;
  readonly status: string;
  readonly queue_job: string | null;
  readonly provider: string | null;
  readonly model: string | null;
  readonly repairs: number;
  readonly started_at_ms: number | null;
  readonly ended_at_ms: number | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
};

/** An item with its result, whose columns are all null if it has none. */
export type ItemResultRow = ItemRow & {
  readonly content: string | null;
  readonly is_json: number | null;
  readonly finish_reason: string | null;
  readonly prompt_tokens: number | null;
  readonly completion_tokens: number | null;
  readonly approval: string | null;
  readonly approval_by: string | null;
  readonly approval_at_ms: number | null;
  readonly approval_note: string | null;
};

export function batchSeq(seq: number): BatchSeq {
  return seq as BatchSeq;
}

/** A row of `runtime_llm_jobs` as the store's callers know it. */
export function storedBatch(row: BatchRow): StoredBatch {
  return {
    seq: batchSeq(row.seq),
    id: row.id as JobId,
    client: row.client,
    provider: row.provider,
    model: row.model,
    jobType: row.job_type,
    requiresApproval: row.requires_approval === 1,
    payloadHash: row.payload_hash ?? "",
    status: row.status as BatchStatus,
    submittedCount: row.submitted_count,
    queuedCount: row.queued_count,
    runningCount: row.running_count,
    completedCount: row.completed_count,
    failedCount: row.failed_count,
    cancelledCount: row.cancelled_count,
    createdAtMs: row.created_at_ms,
    startedAtMs: row.started_at_ms,
    endedAtMs: row.ended_at_ms,
    failureReason: row.failure_reason,
  };
}

/** A row of an item that has not ended. */
export function openItem(row: ItemRow): OpenItem {
  return {
    batch: batchSeq(row.job_seq),
    itemNo: row.item_no,
    requestId: row.request_id,
    queueJob: row.queue_job as JobId | null,
    repairs: row.repairs,
  };
}

/** A row of an item and its result. */
export function storedItem(row: ItemResultRow): StoredItem {
  const error =
    row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? "" };
  const isItsEnd = row.status === "failed" || row.status === "cancelled";
  return {
    itemNo: row.item_no,
    requestId: row.request_id,
    payloadHash: row.payload_hash,
    status: row.status as ItemStatus,
    provider: row.provider,
    model: row.model,
    repairs: row.repairs,
    startedAtMs: row.started_at_ms,
    endedAtMs: row.ended_at_ms,
    error: isItsEnd ? error : null,
    previousError: isItsEnd ? null : error,
    result: row.content === null ? null : resultOf(row, row.content),
    approval: row.approval === null ? null : approvalOf(row, row.approval),
  };
}

function resultOf(row: ItemResultRow, content: string): StoredItem["result"] {
  return {
    content,
    isJson: row.is_json === 1,
    finishReason: row.finish_reason,
    promptTokens: row.prompt_tokens,
    completionTokens: row.completion_tokens,
  };
}

function approvalOf(row: ItemResultRow, state: string): Approval {
  return {
    state: state as Approval["state"],
    by: row.approval_by,
    atMs: row.approval_at_ms,
    note: row.approval_note,
  };
}
