import { closeSync, openSync, readSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { ForemanError } from "../../errors.ts";
import { damageMessage } from "./sqlite-failure.ts";

/** "FMAN": marks a file as foreman's (PRAGMA application_id). */
export const applicationId = 0x464d414e;

/** Checked whole at each start up to this size: 0.5 s, quick_check being measured at 127 MB/s. */
const checkedBytesMax = 64 * 2 ** 20;

/** How a WAL begins, in either byte order (https://www.sqlite.org/fileformat2.html#walformat). */
const walMagics = [0x377f0682, 0x377f0683];

/**
 * The schema's version of a database that exists, by a look that changes nothing in it.
 *
 * Throws ForemanError `database_damaged` for what SQLite alone would silently begin anew: an empty
 * file, whose WAL it deletes, and a WAL that it cannot read, which it ignores together with the
 * commits inside; also for another program's database. Throws SqliteError for other damage.
 */
export function inspectDatabase(file: string): number {
  const bytes = statSync(file).size;
  if (bytes === 0) throw damaged(file, "it is empty");
  refuseUnreadableWal(file);

  const database = new Database(file, { readonly: true, fileMustExist: true });
  try {
    if (database.pragma("application_id", { simple: true }) !== applicationId) {
      throw damaged(file, "it is not a database of foreman's");
    }
    if (isCheckedAtStart(file)) {
      const verdict = database.pragma("quick_check(1)", { simple: true });
      if (verdict !== "ok") throw damaged(file, String(verdict));
    }
    return Number(database.pragma("user_version", { simple: true }));
  } finally {
    database.close();
  }
}

/** Whether `inspectDatabase` checks the whole of it; a larger one is checked while it is in use. */
export function isCheckedAtStart(file: string): boolean {
  return statSync(file).size <= checkedBytesMax;
}

/** Refuses a WAL whose first bytes were neither written by SQLite nor left unwritten. */
function refuseUnreadableWal(file: string): void {
  const wal = `${file}-wal`;
  const size = statSync(wal, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return;
  const head = Buffer.alloc(4);
  const descriptor = openSync(wal, "r");
  readSync(descriptor, head);
  closeSync(descriptor);
  // Zeros: a power cut between the file's growth and its first write. No commit was in it.
  const magic = head.readUInt32BE();
  if (magic !== 0 && !walMagics.includes(magic)) {
    throw damaged(file, `${wal} is not a write-ahead log`);
  }
}

function damaged(file: string, detail: string): ForemanError {
  return new ForemanError("database_damaged", damageMessage(file, detail));
}
