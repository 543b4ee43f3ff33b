-- Where each state that a job comes to is told; null for nowhere. An http or https URL as the
-- WHATWG parser writes it.
ALTER TABLE job ADD COLUMN webhook_url TEXT
  CHECK (webhook_url IS NULL OR is_durable = 1);

-- How many states are still to be told. A job is not forgotten before the last of them.
ALTER TABLE job ADD COLUMN deliveries_left INTEGER NOT NULL DEFAULT 0
  CHECK (deliveries_left >= 0);

DROP INDEX job_ended;
CREATE INDEX job_ended ON job (ended_at_ms)
  WHERE ended_at_ms IS NOT NULL AND deliveries_left = 0;

-- What is still to be told, one row for each delivery, which goes when it was received or given up.
-- Filled by trigger: no state of a job that asked can be committed without its row.
CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY,
  -- Its subject: entry `n` of this job's history. Null for a subject of another kind, which would
  -- have a column of its own beside this one.
  job_seq INTEGER REFERENCES job (seq) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  url TEXT NOT NULL,
  -- Scheme, host and port: who shares a receiver. A URL has a slash at its ninth letter or later
  -- that ends them.
  origin TEXT NOT NULL
    GENERATED ALWAYS AS (substr(url, 1, 7 + instr(substr(url, 9), '/'))) VIRTUAL,
  -- Tries that failed.
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  -- Wall clock before which it shall not be tried, 0 for at once. Null while an earlier row of its
  -- subject is here: so a subject's rows go out in their order, whoever asks what is due.
  next_at_ms INTEGER
) STRICT;

CREATE UNIQUE INDEX outbox_job ON outbox (job_seq, n);
CREATE INDEX outbox_due ON outbox (origin, next_at_ms) WHERE next_at_ms IS NOT NULL;

CREATE TRIGGER transition_told AFTER INSERT ON transition
  WHEN (SELECT webhook_url FROM job WHERE seq = NEW.job_seq) IS NOT NULL
BEGIN
  INSERT INTO outbox (job_seq, n, url, next_at_ms)
  VALUES (
    NEW.job_seq,
    NEW.n,
    (SELECT webhook_url FROM job WHERE seq = NEW.job_seq),
    CASE WHEN EXISTS (SELECT 1 FROM outbox WHERE job_seq = NEW.job_seq) THEN NULL ELSE 0 END
  );
  UPDATE job SET deliveries_left = deliveries_left + 1 WHERE seq = NEW.job_seq;
END;

CREATE TRIGGER outbox_next AFTER DELETE ON outbox WHEN OLD.job_seq IS NOT NULL
BEGIN
  UPDATE outbox
  SET next_at_ms = 0
  WHERE seq = (SELECT seq FROM outbox WHERE job_seq = OLD.job_seq ORDER BY n LIMIT 1);
  UPDATE job SET deliveries_left = deliveries_left - 1 WHERE seq = OLD.job_seq;
END;
