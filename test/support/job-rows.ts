import { createHash } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";
import Database from "better-sqlite3";

/** A row of the table `job`, as far as a history is checked against it. */
export type JobRow = {
  readonly seq: number;
  readonly id: string;
  readonly model: string;
  readonly state: string;
  readonly is_durable: number;
  readonly last_attempt: number;
  readonly attempts: number;
  readonly deaths: number;
  readonly preemptions: number;
  readonly put_back_why: string | null;
  readonly not_before_ms: number | null;
  readonly end_reason: string | null;
  readonly body_hash: string;
  readonly idempotency_key: string | null;
  readonly webhook_url: string | null;
  readonly deliveries_left: number;
};

type AnswerRow = { readonly is_compressed: number; readonly body: Uint8Array };

/**
 * Looks into a daemon's database from outside. Read-only, so that a log which a dead daemon left
 * behind is still there for the next one to recover: a writer would fold it in at its close.
 */
export function lookInto<Found>(file: string, look: (database: Database.Database) => Found): Found {
  const database = new Database(file, { readonly: true, fileMustExist: true });
  try {
    return look(database);
  } finally {
    database.close();
  }
}

/** All jobs, in order of arrival. */
export function jobRows(file: string): readonly JobRow[] {
  return lookInto(file, (database) =>
    database.prepare<[], JobRow>("SELECT * FROM job ORDER BY seq").all(),
  );
}

/** What the target sent, as the store keeps it; null if it keeps nothing. */
export function keptAnswer(database: Database.Database, seq: number): string | null {
  const row = database
    .prepare<[number], AnswerRow>("SELECT is_compressed, body FROM answer WHERE seq = ?")
    .get(seq);
  if (row === undefined) return null;
  const bytes = Buffer.from(row.body);
  return (row.is_compressed === 1 ? zstdDecompressSync(bytes) : bytes).toString("utf8");
}

/**
 * All that an ended job must keep for ever: its row and its answer, in one digest. What its webhook is
 * still to be told is no part of its end.
 */
export function endFingerprint(database: Database.Database, row: JobRow): string {
  const { deliveries_left: _left, webhook_url: _url, ...end } = row;
  const answer = keptAnswer(database, row.seq);
  return createHash("sha256")
    .update(JSON.stringify([end, answer]))
    .digest("hex");
}
