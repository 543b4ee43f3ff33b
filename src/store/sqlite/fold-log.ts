import type Database from "better-sqlite3";
import { reachOf } from "./sqlite-failure.ts";

/**
 * Empties the log, in which what was deleted still stands, and gives its space back. Skips what a
 * reader or another program is in the way of, or the disk is too full for: the next time will do.
 * Outside of any transaction. Throws SqliteError if the disk fails.
 */
export function emptyLog(database: Database.Database): void {
  // Waiting for a long reader here would make every commit wait with us.
  const timeoutMs = database.pragma("busy_timeout", { simple: true });
  database.pragma("busy_timeout = 0");
  try {
    database.pragma("wal_checkpoint(TRUNCATE)");
  } catch (error) {
    if (!isPassing(error)) throw error;
  } finally {
    database.pragma(`busy_timeout = ${timeoutMs}`);
  }
}

/**
 * Now and then: folds into the database what no reader is in the way of. SQLite does so by itself
 * after some commits, but keeps to itself that the database could not be written or synced: the log
 * would grow until the disk is full. Throws SqliteError if the disk fails.
 */
export function proveLog(database: Database.Database): void {
  try {
    database.pragma("wal_checkpoint(PASSIVE)");
  } catch (error) {
    if (!isPassing(error)) throw error;
  }
}

/**
 * At the end: folds the log into the database. On a full disk it is left as it is, for the next
 * start to find. Throws SqliteError if the disk fails.
 */
export function foldLog(database: Database.Database): void {
  try {
    database.pragma("wal_checkpoint(TRUNCATE)");
  } catch (error) {
    if (!isPassing(error)) throw error;
  }
}

function isPassing(error: unknown): boolean {
  if (reachOf(error) === "full") return true;
  return error instanceof Error && "code" in error && error.code === "SQLITE_BUSY";
}
