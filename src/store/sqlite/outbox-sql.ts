/** Every statement over the outbox but those of its triggers; a test holds them to its indexes. */
export const outboxSql = {
  /** From one origin to the next by the index, past all rows of each. */
  origins: `
    WITH RECURSIVE waiting (origin) AS (
      SELECT min(origin)
      FROM outbox
      WHERE next_at_ms IS NOT NULL
      UNION ALL
      SELECT (
        SELECT min(origin)
        FROM outbox
        WHERE next_at_ms IS NOT NULL AND origin > waiting.origin)
      FROM waiting
      WHERE waiting.origin IS NOT NULL
      LIMIT @originsMax)
    SELECT origin
    FROM waiting
    WHERE origin IS NOT NULL`,
  due: `
    SELECT outbox.seq, outbox.url, outbox.tries, job.id AS job_id, transition.*
    FROM outbox
    JOIN job ON job.seq = outbox.job_seq
    JOIN transition ON transition.job_seq = outbox.job_seq AND transition.n = outbox.n
    WHERE outbox.origin = @origin AND outbox.next_at_ms >= @fromMs AND outbox.next_at_ms <= @toMs
    ORDER BY outbox.next_at_ms
    LIMIT @limit`,
  nextAt: `
    SELECT min(next_at_ms) AS next_at_ms
    FROM outbox
    WHERE origin = @origin AND next_at_ms > @nowMs`,
  remove: `
    DELETE FROM outbox
    WHERE seq = @seq`,
  noteFailed: `
    UPDATE outbox
    SET tries = tries + 1, next_at_ms = @nextAtMs
    WHERE seq = @seq`,
  passTriesOn: `
    UPDATE outbox
    SET tries = (SELECT tries FROM outbox WHERE seq = @seq)
    WHERE seq = (
      SELECT later.seq
      FROM outbox AS given
      JOIN outbox AS later ON later.job_seq = given.job_seq AND later.n > given.n
      WHERE given.seq = @seq
      ORDER BY later.n
      LIMIT 1)`,
  forgetUrl: `
    UPDATE job
    SET webhook_url = NULL
    WHERE seq = (SELECT job_seq FROM outbox WHERE seq = @seq)`,
  removeOfJob: `
    DELETE FROM outbox
    WHERE job_seq = (SELECT job_seq FROM outbox WHERE seq = @seq)`,
  depth: `
    SELECT
      (SELECT count(*) FROM outbox) AS left_count,
      (SELECT transition.at_ms
        FROM outbox
        JOIN transition ON transition.job_seq = outbox.job_seq AND transition.n = outbox.n
        WHERE outbox.seq = (SELECT min(seq) FROM outbox)) AS oldest_at_ms`,
} as const;
