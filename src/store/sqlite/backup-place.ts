import { lstatSync, realpathSync, statfsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ForemanError } from "../../errors.ts";

/** Names that the database's files have, or may have. */
const ownEnds = ["", "-wal", "-shm", "-journal", ".lock", ".new"];

/** What a backup must leave on the disk: jobs are still to be written to it. 256 MiB. */
const leftBytesMin = 256 * 2 ** 20;

/**
 * Throws ForemanError, naming the file: `backup_refused` if a copy of the database `file` must not
 * stand at `copy`, `storage_full` if it would fill the disk.
 */
export function refuseBackup(file: string, copy: string): void {
  const place = realPlace(copy);
  if (ownEnds.some((end) => place === `${realPlace(file)}${end}`)) {
    throw new ForemanError("backup_refused", `${copy} is the database's own: name another file`);
  }
  if (lstatSync(copy, { throwIfNoEntry: false }) !== undefined) {
    throw new ForemanError("backup_refused", `${copy} exists, and no backup overwrites a file`);
  }
  const { bavail, bsize } = statfsSync(dirname(copy));
  const neededBytes = statSync(file).size + leftBytesMin;
  if (bavail * bsize >= neededBytes) return;
  const needed = `${Math.ceil(neededBytes / 2 ** 20)} MiB`;
  const message = `a backup to ${copy} wants ${needed} of free space, so that jobs keep some`;
  throw new ForemanError("storage_full", message);
}

/** Without the symbolic links on the way; the last name may not be there. */
function realPlace(file: string): string {
  return join(realpathSync(dirname(file)), basename(file));
}
