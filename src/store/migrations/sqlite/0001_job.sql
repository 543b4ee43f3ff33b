-- A unit of work. `seq` is the order of arrival and the only order there is: clocks jump.
CREATE TABLE job (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  class TEXT NOT NULL CHECK (class IN ('interactive', 'batch')),
  client TEXT NOT NULL,
  route TEXT NOT NULL,
  model TEXT NOT NULL,
  runner_key TEXT NOT NULL,
  is_durable INTEGER NOT NULL CHECK (is_durable IN (0, 1)),
  body_bytes INTEGER NOT NULL CHECK (body_bytes >= 0),
  body_hash TEXT NOT NULL,
  enqueued_at_ms INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'queued'
    CHECK (state IN ('queued', 'loading', 'working', 'done', 'failed', 'cancelled')),
  -- The fence: a number is never given twice, even if the attempt was refunded.
  last_attempt INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND last_attempt),
  -- How often the daemon died while this job ran.
  deaths INTEGER NOT NULL DEFAULT 0,
  put_back_why TEXT,
  started_at_ms INTEGER,
  ended_at_ms INTEGER,
  end_reason TEXT,
  end_message TEXT,
  status_code INTEGER,
  prompt_tokens INTEGER,
  completion_tokens INTEGER,
  CHECK ((ended_at_ms IS NOT NULL) = (state IN ('done', 'failed', 'cancelled')))
) STRICT;

-- Partial, so that a job is in two small indexes at a time, and none grows with the history.
CREATE INDEX job_waiting ON job (class, runner_key, client, seq) WHERE state = 'queued';
CREATE INDEX job_running ON job (state) WHERE state IN ('loading', 'working');
CREATE INDEX job_ended ON job (ended_at_ms, state) WHERE ended_at_ms IS NOT NULL;
-- What a start must cancel, found without walking a million durable jobs that wait.
CREATE INDEX job_on_socket ON job (seq) WHERE is_durable = 0 AND ended_at_ms IS NULL;

-- Apart from its job, so that walking jobs does not read prompts.
CREATE TABLE payload (
  seq INTEGER PRIMARY KEY REFERENCES job (seq) ON DELETE CASCADE,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE document (
  name TEXT PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;

-- The one row that proves that the store can write.
CREATE TABLE heartbeat (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  beats INTEGER NOT NULL
) STRICT;
INSERT INTO heartbeat (only, beats) VALUES (1, 0);
