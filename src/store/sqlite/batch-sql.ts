/**
 * Every statement over batches, by verb; held against the indexes by the same test as `jobSql`.
 * Counters and the batch's own status are nobody's business here: triggers keep them (migrations
 * 0005 and 0007). An item's error stays with it over a retry, until it fails or is cancelled anew.
 */
export const batchSql = {
  beginBatch: `
    INSERT INTO runtime_llm_jobs (id, client, created_at_ms)
    VALUES (@id, @client, @createdAtMs)
    RETURNING seq`,
  appendItem: `
    INSERT INTO runtime_llm_job_items (job_seq, item_no, request_id, payload_hash)
    VALUES (@batch, @itemNo, @requestId, @payloadHash)`,
  appendRequest: `
    INSERT INTO runtime_llm_job_requests (job_seq, item_no, request)
    VALUES (@batch, @itemNo, @request)`,
  keyHolder: `
    SELECT *
    FROM runtime_llm_jobs
    WHERE client = (SELECT client FROM runtime_llm_jobs WHERE seq = @batch)
      AND idempotency_key = @idempotencyKey`,
  openBatch: `
    UPDATE runtime_llm_jobs
    SET provider = @provider, model = @model, job_type = @jobType,
      requires_approval = @requiresApproval, payload_hash = @payloadHash, status = 'queued',
      submitted_count = @submittedCount, queued_count = @submittedCount,
      idempotency_key = @idempotencyKey
    WHERE seq = @batch AND status = 'ingesting'`,
  dropItems: `
    DELETE FROM runtime_llm_job_items
    WHERE job_seq = @batch AND item_no IN (
      SELECT item_no
      FROM runtime_llm_job_items
      WHERE job_seq = @batch
      LIMIT @limit)
    RETURNING item_no`,
  dropRequest: `
    DELETE FROM runtime_llm_job_requests
    WHERE job_seq = @batch AND item_no = @itemNo`,
  dropResult: `
    DELETE FROM runtime_llm_job_results
    WHERE job_seq = @batch AND item_no = @itemNo`,
  dropBatch: `
    DELETE FROM runtime_llm_jobs
    WHERE seq = @batch`,
  unopenedBatches: `
    SELECT seq
    FROM runtime_llm_jobs
    WHERE status = 'ingesting'`,
  linkItem: `
    UPDATE runtime_llm_job_items
    SET queue_job = @id, status = 'queued', provider = 'ollama', model = @model,
      repairs = repairs + (queue_job IS NOT NULL)
    WHERE job_seq = @batch AND item_no = @itemNo AND ended_at_ms IS NULL
      AND queue_job IS @replaces`,
  startItem: `
    UPDATE runtime_llm_job_items
    SET status = 'running', provider = @provider, started_at_ms = coalesce(started_at_ms, @atMs)
    WHERE job_seq = @batch AND item_no = @itemNo AND status = 'queued' AND queue_job IS NULL`,
  restItem: `
    UPDATE runtime_llm_job_items
    SET status = 'queued'
    WHERE job_seq = @batch AND item_no = @itemNo AND status = 'running' AND queue_job IS NULL`,
  queueJobOf: `
    SELECT queue_job
    FROM runtime_llm_job_items
    WHERE job_seq = @batch AND item_no = @itemNo`,
  endItem: `
    UPDATE runtime_llm_job_items
    SET status = @status, ended_at_ms = @atMs, repairs = @repairs,
      started_at_ms = iif(@status = 'completed', coalesce(started_at_ms, @atMs), started_at_ms),
      provider = coalesce(@provider, provider), model = coalesce(@model, model),
      error_code = coalesce(@errorCode, error_code),
      error_message = coalesce(@errorMessage, error_message)
    WHERE job_seq = @batch AND item_no = @itemNo AND ended_at_ms IS NULL`,
  insertResult: `
    INSERT INTO runtime_llm_job_results
      (job_seq, item_no, content, is_json, finish_reason, prompt_tokens, completion_tokens,
       approval)
    VALUES
      (@batch, @itemNo, @content, @isJson, @finishReason, @promptTokens, @completionTokens,
       (SELECT iif(requires_approval = 1, 'pending', NULL)
        FROM runtime_llm_jobs
        WHERE seq = @batch))`,
  dropAnswer: `
    DELETE FROM answer
    WHERE seq = (SELECT seq FROM job WHERE id = @queueJob)`,
  recoverItems: `
    UPDATE runtime_llm_job_items
    SET status = 'queued'
    WHERE status = 'running' AND queue_job IS NULL`,
  cancelBatch: `
    UPDATE runtime_llm_jobs
    SET status = 'cancelled'
    WHERE seq = @batch AND ended_at_ms IS NULL`,
  cancelItems: `
    UPDATE runtime_llm_job_items
    SET status = 'cancelled', ended_at_ms = @atMs, error_code = 'cancelled',
      error_message = 'the batch was cancelled'
    WHERE job_seq = @batch AND item_no IN (
      SELECT item_no
      FROM runtime_llm_job_items
      WHERE job_seq = @batch AND status = 'queued' AND queue_job IS NULL
      LIMIT @limit)
    RETURNING item_no`,
  retryItems: `
    UPDATE runtime_llm_job_items
    SET status = 'queued', ended_at_ms = NULL, started_at_ms = NULL, queue_job = NULL, repairs = 0,
      provider = NULL, model = NULL
    WHERE job_seq = @batch AND item_no IN (
      SELECT item_no
      FROM runtime_llm_job_items
      WHERE job_seq = @batch AND item_no > @after AND status = 'failed'
      ORDER BY item_no
      LIMIT @limit)
      AND (SELECT status FROM runtime_llm_jobs WHERE seq = @batch) <> 'cancelled'
    RETURNING item_no`,
  judge: `
    UPDATE runtime_llm_job_results
    SET approval = @state, approval_by = @by, approval_at_ms = @atMs, approval_note = @note
    WHERE job_seq = @batch AND approval = 'pending' AND item_no = (
      SELECT item_no
      FROM runtime_llm_job_items
      WHERE job_seq = @batch AND request_id = @requestId)`,
  batch: `
    SELECT *
    FROM runtime_llm_jobs
    WHERE id = @id AND status <> 'ingesting'`,
  openBatches: `
    SELECT *
    FROM runtime_llm_jobs
    WHERE ended_at_ms IS NULL AND status <> 'ingesting'
    ORDER BY seq`,
  batchesEndedBefore: `
    SELECT seq
    FROM runtime_llm_jobs
    WHERE ended_at_ms < @endedBeforeMs
    ORDER BY ended_at_ms
    LIMIT @limit`,
  waitingItems: `
    SELECT *
    FROM runtime_llm_job_items
    WHERE job_seq = @batch AND item_no > @after AND status = 'queued' AND queue_job IS NULL
    ORDER BY item_no
    LIMIT @limit`,
  itemsUnderWay: `
    SELECT *
    FROM runtime_llm_job_items INDEXED BY item_queue_job
    WHERE queue_job IS NOT NULL AND ended_at_ms IS NULL AND job_seq = @batch`,
  request: `
    SELECT request
    FROM runtime_llm_job_requests
    WHERE job_seq = @batch AND item_no = @itemNo`,
  requests: `
    SELECT request
    FROM runtime_llm_job_requests
    WHERE job_seq = @batch
    ORDER BY item_no`,
  item: `
    SELECT *
    FROM runtime_llm_job_items
    LEFT JOIN runtime_llm_job_results USING (job_seq, item_no)
    WHERE job_seq = @batch AND request_id = @requestId`,
} as const;

/** The page's filters that are given stand in it; those left out cost nothing. */
export function itemPageSql(page: {
  readonly status?: unknown;
  readonly approval?: unknown;
}): string {
  const filters = [
    "job_seq = @batch AND item_no > @after",
    ...(page.status === undefined ? [] : ["status = @status"]),
    ...(page.approval === undefined ? [] : ["approval = @approval"]),
  ];
  return `
    SELECT *
    FROM runtime_llm_job_items
    LEFT JOIN runtime_llm_job_results USING (job_seq, item_no)
    WHERE ${filters.join(" AND ")}
    ORDER BY item_no
    LIMIT @limit`;
}

/** One filter leads by its index; the other stands behind a `+`, as in `pageSql`. */
export function batchPageSql(page: {
  readonly status?: unknown;
  readonly client?: unknown;
}): string {
  const hasClient = page.client !== undefined;
  const filters = [
    "seq < @after AND +status <> 'ingesting'",
    ...(hasClient ? ["client = @client"] : []),
    ...(page.status === undefined ? [] : [`${hasClient ? "+" : ""}status = @status`]),
  ];
  return `
    SELECT *
    FROM runtime_llm_jobs
    WHERE ${filters.join(" AND ")}
    ORDER BY seq DESC
    LIMIT @limit`;
}
