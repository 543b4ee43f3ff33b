-- An item that failed may wait again: its count moves back, and its batch is open again.
DROP TRIGGER batch_counts_its_items;

CREATE TRIGGER batch_counts_its_items AFTER UPDATE OF status ON runtime_llm_job_items
  WHEN NEW.status <> OLD.status
BEGIN
  UPDATE runtime_llm_jobs
  SET queued_count = queued_count + (NEW.status = 'queued') - (OLD.status = 'queued'),
    running_count = running_count + (NEW.status = 'running') - (OLD.status = 'running'),
    completed_count = completed_count + (NEW.status = 'completed'),
    failed_count = failed_count + (NEW.status = 'failed') - (OLD.status = 'failed'),
    cancelled_count = cancelled_count + (NEW.status = 'cancelled'),
    started_at_ms = coalesce(started_at_ms, NEW.started_at_ms),
    status = iif(status = 'queued' AND NEW.status <> 'queued', 'running', status)
  WHERE seq = NEW.job_seq;
  UPDATE runtime_llm_jobs
  SET ended_at_ms = NULL, status = 'running', failure_reason = NULL
  WHERE seq = NEW.job_seq AND OLD.status = 'failed' AND ended_at_ms IS NOT NULL;
  UPDATE runtime_llm_jobs
  SET ended_at_ms = NEW.ended_at_ms,
    status = CASE
      WHEN status = 'cancelled' THEN 'cancelled'
      WHEN completed_count > 0 THEN 'completed'
      WHEN failed_count > 0 THEN 'failed'
      ELSE 'cancelled'
    END,
    failure_reason = CASE
      WHEN completed_count = 0 AND failed_count > 0 THEN NEW.error_message
    END
  WHERE seq = NEW.job_seq AND NEW.ended_at_ms IS NOT NULL AND queued_count + running_count = 0;
END;
