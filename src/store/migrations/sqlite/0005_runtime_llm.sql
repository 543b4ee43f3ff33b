-- Batches of the runtime-LLM API. The names of the three tables are the contract's.

-- One batch. Its counters are the sums of its items' states, kept by the triggers below.
CREATE TABLE runtime_llm_jobs (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  client TEXT NOT NULL,
  idempotency_key TEXT,
  -- As asked; null where it was left open.
  provider TEXT,
  model TEXT,
  job_type TEXT NOT NULL DEFAULT '',
  requires_approval INTEGER NOT NULL DEFAULT 0 CHECK (requires_approval IN (0, 1)),
  -- Hex sha256 of the canonical JSON of the whole submission; null while it comes in.
  payload_hash TEXT,
  -- 'ingesting': its items are still coming in, and nobody sees it yet.
  status TEXT NOT NULL DEFAULT 'ingesting'
    CHECK (status IN ('ingesting', 'queued', 'running', 'completed', 'failed', 'cancelled')),
  submitted_count INTEGER NOT NULL DEFAULT 0,
  queued_count INTEGER NOT NULL DEFAULT 0 CHECK (queued_count >= 0),
  running_count INTEGER NOT NULL DEFAULT 0 CHECK (running_count >= 0),
  completed_count INTEGER NOT NULL DEFAULT 0,
  failed_count INTEGER NOT NULL DEFAULT 0,
  cancelled_count INTEGER NOT NULL DEFAULT 0,
  created_at_ms INTEGER NOT NULL,
  started_at_ms INTEGER,
  ended_at_ms INTEGER,
  failure_reason TEXT,
  CHECK (submitted_count =
    queued_count + running_count + completed_count + failed_count + cancelled_count)
) STRICT;

CREATE UNIQUE INDEX batch_idempotency ON runtime_llm_jobs (client, idempotency_key)
  WHERE idempotency_key IS NOT NULL;
-- Few at any time, and all that a start must find.
CREATE INDEX batch_open ON runtime_llm_jobs (seq) WHERE ended_at_ms IS NULL;
CREATE INDEX batch_ended ON runtime_llm_jobs (ended_at_ms) WHERE ended_at_ms IS NOT NULL;
CREATE INDEX batch_status ON runtime_llm_jobs (status);
CREATE INDEX batch_client ON runtime_llm_jobs (client);

-- One prompt of a batch. `item_no` counts from 1 in the order of the submission.
CREATE TABLE runtime_llm_job_items (
  job_seq INTEGER NOT NULL REFERENCES runtime_llm_jobs (seq) ON DELETE CASCADE,
  item_no INTEGER NOT NULL CHECK (item_no >= 1),
  request_id TEXT NOT NULL,
  payload_hash TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'queued'
    CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
  -- The queue's job that is to bring its answer, or brought it; null for other providers.
  queue_job TEXT,
  provider TEXT,
  model TEXT,
  -- How often an answer of the wrong shape was sent back to be mended.
  repairs INTEGER NOT NULL DEFAULT 0,
  started_at_ms INTEGER,
  ended_at_ms INTEGER,
  error_code TEXT,
  error_message TEXT,
  PRIMARY KEY (job_seq, item_no),
  CHECK ((ended_at_ms IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled')))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX item_request ON runtime_llm_job_items (job_seq, request_id);
-- The window that is in the queue, and what runs: hundreds of rows, be there a million items.
CREATE UNIQUE INDEX item_queue_job ON runtime_llm_job_items (queue_job)
  WHERE queue_job IS NOT NULL AND ended_at_ms IS NULL;
CREATE INDEX item_running ON runtime_llm_job_items (job_seq, item_no) WHERE status = 'running';

-- What was asked, as canonical JSON; apart, so that walking items does not read prompts. Goes when
-- its item needs it no more.
CREATE TABLE runtime_llm_job_requests (
  job_seq INTEGER NOT NULL REFERENCES runtime_llm_jobs (seq) ON DELETE CASCADE,
  item_no INTEGER NOT NULL,
  request BLOB NOT NULL,
  PRIMARY KEY (job_seq, item_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE runtime_llm_job_results (
  job_seq INTEGER NOT NULL REFERENCES runtime_llm_jobs (seq) ON DELETE CASCADE,
  item_no INTEGER NOT NULL,
  content TEXT NOT NULL,
  -- Whether `content` was checked to be JSON, as its item asked.
  is_json INTEGER NOT NULL CHECK (is_json IN (0, 1)),
  finish_reason TEXT,
  prompt_tokens INTEGER,
  completion_tokens INTEGER,
  -- Null where nobody has to approve it.
  approval TEXT CHECK (approval IN ('pending', 'approved', 'rejected')),
  approval_by TEXT,
  approval_at_ms INTEGER,
  approval_note TEXT,
  PRIMARY KEY (job_seq, item_no)
) STRICT, WITHOUT ROWID;

-- A job of the queue begins, or is put back: so does its item.
CREATE TRIGGER item_follows_its_queue_job AFTER INSERT ON transition
  WHEN NEW.previous_state IS NOT NULL AND NEW.state IN ('queued', 'loading')
BEGIN
  UPDATE runtime_llm_job_items
  SET status = iif(NEW.state = 'loading', 'running', 'queued'),
    started_at_ms = coalesce(started_at_ms, NEW.at_ms)
  WHERE queue_job = (SELECT id FROM job WHERE seq = NEW.job_seq)
    AND ended_at_ms IS NULL;
END;

-- The counters move with the item, and the last one to end ends the batch.
CREATE TRIGGER batch_counts_its_items AFTER UPDATE OF status ON runtime_llm_job_items
  WHEN NEW.status <> OLD.status
BEGIN
  UPDATE runtime_llm_jobs
  SET queued_count = queued_count + (NEW.status = 'queued') - (OLD.status = 'queued'),
    running_count = running_count + (NEW.status = 'running') - (OLD.status = 'running'),
    completed_count = completed_count + (NEW.status = 'completed'),
    failed_count = failed_count + (NEW.status = 'failed'),
    cancelled_count = cancelled_count + (NEW.status = 'cancelled'),
    started_at_ms = coalesce(started_at_ms, NEW.started_at_ms),
    status = iif(status = 'queued' AND NEW.status <> 'queued', 'running', status)
  WHERE seq = NEW.job_seq;
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
