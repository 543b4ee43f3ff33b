import type Database from "better-sqlite3";
import { reachOf } from "./sqlite-failure.ts";

/**
 * Free pages that are kept for the jobs to come: 4 MiB. Pages that are given back and taken again
 * would be written twice, once for each hour's jobs.
 */
const reservePages = 1024;

/** Moved in one transaction: 3 ms with its commit (measured), so that none waits longer for it. */
const freedPagesMax = 64;

/**
 * Gives a few free pages back to the file system, inside the caller's transaction. True if there
 * are more to give.
 */
export function shrinkDatabase(database: Database.Database): boolean {
  const spare = Number(database.pragma("freelist_count", { simple: true })) - reservePages;
  if (spare <= 0) return false;
  database.pragma(`incremental_vacuum(${Math.min(spare, freedPagesMax)})`);
  return spare > freedPagesMax;
}

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

function isPassing(error: unknown): boolean {
  if (reachOf(error) === "full") return true;
  return error instanceof Error && "code" in error && error.code === "SQLITE_BUSY";
}
