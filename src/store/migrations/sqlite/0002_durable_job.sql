-- What a job needs that outlives its client: the key that it was submitted under, an hour before
-- which it shall rest, the count of its preemptions, and a place for its answer.
ALTER TABLE job ADD COLUMN idempotency_key TEXT
  CHECK (idempotency_key IS NULL OR is_durable = 1);
ALTER TABLE job ADD COLUMN preemptions INTEGER NOT NULL DEFAULT 0
  CHECK (preemptions BETWEEN 0 AND last_attempt);
ALTER TABLE job ADD COLUMN not_before_ms INTEGER
  CHECK (not_before_ms IS NULL OR state = 'queued');

-- Unique as long as its job is remembered: a prune frees the key.
CREATE UNIQUE INDEX job_idempotency ON job (client, idempotency_key)
  WHERE idempotency_key IS NOT NULL;

-- A job on a socket waits in memory and is never sought here.
DROP INDEX job_waiting;
CREATE INDEX job_waiting ON job (class, runner_key, client, seq)
  WHERE state = 'queued' AND is_durable = 1;

-- One index over all states counts them, lists them and finds what a dead daemon was running. Each
-- of these three ends in `seq`, as every index does: a page of them is a seek, without a sort.
DROP INDEX job_running;
CREATE INDEX job_state ON job (state);
CREATE INDEX job_client ON job (client);
CREATE INDEX job_model ON job (model);

-- Without the state, which nobody reads from here any more.
DROP INDEX job_ended;
CREATE INDEX job_ended ON job (ended_at_ms) WHERE ended_at_ms IS NOT NULL;

-- Apart from its job, as the payload is. It goes with its job.
CREATE TABLE answer (
  seq INTEGER PRIMARY KEY REFERENCES job (seq) ON DELETE CASCADE,
  status_code INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  is_compressed INTEGER NOT NULL CHECK (is_compressed IN (0, 1)),
  body BLOB NOT NULL
) STRICT;
