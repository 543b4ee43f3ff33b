import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { ForemanError } from "../../errors.ts";
import { applicationId } from "./inspect-database.ts";
import { createPrivate } from "./private-file.ts";
import { damageMessage } from "./sqlite-failure.ts";

/**
 * Creates a database of foreman's, without a table, unless the file exists. It is built under
 * another name and renamed, so that no crash of ours leaves an empty file: an empty one is always
 * damage. The caller holds the owner's lock.
 *
 * Throws ForemanError `database_damaged` when the file is gone but its log holds commits.
 */
export function createDatabase(file: string): void {
  if (statSync(file, { throwIfNoEntry: false }) !== undefined) return;
  if ((statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) {
    throw new ForemanError("database_damaged", damageMessage(file, "it is gone, its -wal is not"));
  }
  const unfinished = `${file}.new`;
  rmSync(unfinished, { force: true });
  rmSync(`${unfinished}-journal`, { force: true });
  createPrivate(unfinished);

  const database = new Database(unfinished);
  // Only before the first table; what is deleted can then be given back without a VACUUM.
  database.pragma("auto_vacuum = INCREMENTAL");
  database.pragma(`application_id = ${applicationId}`);
  database.close();

  renameSync(unfinished, file);
  const folder = openSync(dirname(file), "r");
  fsyncSync(folder);
  closeSync(folder);
}
