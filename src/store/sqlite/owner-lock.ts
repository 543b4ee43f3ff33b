import Database from "better-sqlite3";
import { ForemanError } from "../../errors.ts";
import { createPrivate } from "./private-file.ts";

/** Long enough for a predecessor that is just exiting, short enough to say so at once. */
const waitMsMax = 1000;

/** Held until released, or until the process ends in whatever way. */
export type OwnerLock = { release(): void };

/**
 * Makes this process the only owner of a database. That is what allows to call every running row
 * an orphan at start. Node has no flock, so the lock is an exclusive transaction on a second,
 * empty SQLite file beside the first: the kernel gives it up with the process, kill -9 included.
 * For local disks only: locks over NFS may be lies.
 *
 * Throws ForemanError `already_running`, naming the file, in about a second.
 */
export function takeOwnerLock(file: string): OwnerLock {
  const lockFile = `${file}.lock`;
  createPrivate(lockFile);
  const lock = new Database(lockFile, { timeout: waitMsMax });
  try {
    // Nothing is ever written, so no journal need lie beside it.
    lock.pragma("journal_mode = MEMORY");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    if (!(cause instanceof Database.SqliteError) || !cause.code.startsWith("SQLITE_BUSY")) {
      throw cause;
    }
    throw new ForemanError(
      "already_running",
      `another foreman owns ${file}: stop it, or give this one its own database`,
      { cause },
    );
  }
  return { release: () => lock.close() };
}
