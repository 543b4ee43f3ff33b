import { closeSync, fdatasyncSync, fsyncSync, linkSync, openSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { ForemanError } from "../../errors.ts";
import { refuseBackup } from "./backup-place.ts";
import { chore } from "./chore.ts";
import { createPrivate } from "./private-file.ts";
import { reachOf } from "./sqlite-failure.ts";

// Copies the database that it is given to a second file.

/**
 * Copied in one step: 4 MiB, which are then synced, so that a commit of the daemon's never waits
 * for more than these to reach the disk. Measured for 650 MB on a busy machine: the slowest of the
 * commits took 70 ms meanwhile, and 0.5 to 1 s without the syncs, or with VACUUM INTO.
 */
const stepPages = 1024;

await chore(async ([file = "", copy = ""]) => {
  try {
    refuseBackup(file, copy);
    await make(file, copy);
    return String(statSync(copy).size);
  } catch (cause) {
    throw failed(copy, cause);
  }
});

/** Under another name first, so that nothing looks like a backup that is none. */
async function make(file: string, copy: string): Promise<void> {
  const unfinished = `${copy}.unfinished`;
  for (const end of ["", "-journal"]) rmSync(`${unfinished}${end}`, { force: true });
  createPrivate(unfinished);
  try {
    await copyPages(file, unfinished);
    // Unlike a rename, this fails if somebody else has made such a file meanwhile.
    linkSync(unfinished, copy);
  } finally {
    rmSync(unfinished, { force: true });
  }
  syncFolder(dirname(copy));
}

/** The pages as they were at one moment, and on the disk when it resolves. */
async function copyPages(file: string, to: string): Promise<void> {
  const database = new Database(file, { readonly: true, fileMustExist: true });
  const descriptor = openSync(to, "r+");
  try {
    // Without a transaction around it the copy begins anew at each commit of the daemon's, and
    // under load it never ends (measured).
    database.exec("BEGIN");
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    await database.backup(to, {
      progress: () => {
        fdatasyncSync(descriptor);
        return stepPages;
      },
    });
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
    database.close();
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

function failed(copy: string, cause: unknown): ForemanError {
  if (cause instanceof ForemanError) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  const isFull = reachOf(cause) === "full" || /ENOSPC/.test(detail);
  return isFull
    ? new ForemanError(
        "storage_full",
        `no space left for the backup ${copy}: free space on its disk`,
      )
    : new ForemanError("storage_failed", `the backup ${copy} could not be made: ${detail}`);
}
