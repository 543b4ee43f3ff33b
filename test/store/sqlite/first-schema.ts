import { readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { applicationId } from "../../../src/store/sqlite/inspect-database.ts";

const firstMigration = new URL(
  "../../../src/store/migrations/sqlite/0001_job.sql",
  import.meta.url,
);

/** A row's facts, as far as they matter to schema 1. */
type Row = {
  readonly id: string;
  readonly state: string;
  readonly isDurable: 0 | 1;
  readonly attempts: number;
  readonly endedAtMs: number | null;
  readonly body: string | null;
};

/**
 * Writes a database as a foreman of schema 1 leaves it at a kill -9: its commits are in the log
 * still. Answers what ends that process's hold on it.
 */
export function writeFirstSchema(file: string, rows: readonly Row[]): { close(): void } {
  const database = new Database(file);
  database.pragma("auto_vacuum = INCREMENTAL");
  database.pragma(`application_id = ${applicationId}`);
  database.pragma("journal_mode = WAL");
  database.exec(readFileSync(firstMigration, "utf8"));
  database.pragma("user_version = 1");
  const insertJob = database.prepare(`
    INSERT INTO job
      (id, class, client, route, model, runner_key, is_durable, body_bytes, body_hash,
       enqueued_at_ms, state, last_attempt, attempts, ended_at_ms)
    VALUES
      (@id, 'batch', 'ann', '/api/chat', 'm', 'm|', @isDurable, 4, 'hash', 1700000000000,
       @state, @attempts, @attempts, @endedAtMs)`);
  const insertPayload = database.prepare(`
    INSERT INTO payload (seq, body)
    VALUES ((SELECT seq FROM job WHERE id = @id), @body)`);
  for (const row of rows) {
    insertJob.run(row);
    if (row.body !== null) insertPayload.run({ id: row.id, body: Buffer.from(row.body) });
  }
  return database;
}
