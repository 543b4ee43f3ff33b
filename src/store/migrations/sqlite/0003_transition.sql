-- What a durable job goes through, one row for each state that it comes to: whoever follows a job
-- can be told from any point on, and no change can be committed without its row. Written by
-- triggers, so that statements over many jobs keep the promise too.
CREATE TABLE transition (
  job_seq INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
  -- From 1, when the job was queued. Jobs from before this table begin with their next change.
  n INTEGER NOT NULL CHECK (n >= 1),
  state TEXT NOT NULL
    CHECK (state IN ('queued', 'loading', 'working', 'done', 'failed', 'cancelled')),
  previous_state TEXT,
  attempt INTEGER NOT NULL,
  -- Why it was put back, or why it ended otherwise than done.
  why TEXT,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (job_seq, n)
) STRICT, WITHOUT ROWID;

-- Wall clock of the latest change of state; every statement that changes one sets it.
ALTER TABLE job ADD COLUMN changed_at_ms INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER job_queued AFTER INSERT ON job WHEN NEW.is_durable = 1
BEGIN
  INSERT INTO transition (job_seq, n, state, previous_state, attempt, why, at_ms)
  VALUES (NEW.seq, 1, NEW.state, NULL, 0, NULL, NEW.enqueued_at_ms);
END;

CREATE TRIGGER job_transition AFTER UPDATE OF state ON job
  WHEN NEW.is_durable = 1 AND NEW.state <> OLD.state
BEGIN
  INSERT INTO transition (job_seq, n, state, previous_state, attempt, why, at_ms)
  VALUES (
    NEW.seq,
    (SELECT coalesce(max(n), 0) + 1 FROM transition WHERE job_seq = NEW.seq),
    NEW.state,
    OLD.state,
    NEW.last_attempt,
    CASE NEW.state WHEN 'queued' THEN NEW.put_back_why ELSE NEW.end_reason END,
    NEW.changed_at_ms
  );
END;
