import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import type Database from "better-sqlite3";
import { migrate } from "../migrate.ts";
import { readMigrations } from "../read-migrations.ts";
import { connectDatabase } from "./connect-database.ts";
import { createDatabase } from "./create-database.ts";
import { emptyLog } from "./give-back-space.ts";
import { GroupCommit } from "./group-commit.ts";
import { isCheckedAtStart } from "./inspect-database.ts";
import { jobSql } from "./job-sql.ts";
import { migrationTarget } from "./migration-target.ts";
import { type OwnerLock, takeOwnerLock } from "./owner-lock.ts";
import { securePlace } from "./private-file.ts";
import { serveMailbox } from "./serve-mailbox.ts";
import { openFailure, reachOf, verbFailure } from "./sqlite-failure.ts";
import type { FromThread, GroupOutcome, Opening } from "./thread-message.ts";
import type { WriteVerb } from "./verb.ts";
import { WriteVerbs } from "./write-verbs.ts";

// The thread that owns the database: the lock, the one writing connection, and every commit.

type Opened = {
  readonly database: Database.Database;
  readonly lock: OwnerLock;
  readonly opening: Opening;
};

const { file, migrations }: { file: string; migrations: string } = workerData;
assert(parentPort !== null, "runs as a thread of the store's");
const port = parentPort;
const reply = (message: FromThread) => port.postMessage(message);

try {
  const { database, lock, opening } = open();
  serve(database, lock);
  reply({ kind: "opened", opening });
} catch (error) {
  reply({ kind: "refused", failure: openFailure(error, file) });
}

/** The lock comes first: nothing of the database may be touched while another owns it. */
function open(): Opened {
  securePlace(file);
  const lock = takeOwnerLock(file);
  try {
    createDatabase(file);
    const isChecked = isCheckedAtStart(file);
    const migrated = migrate(migrationTarget(file), readMigrations(new URL(migrations)));
    const database = connectDatabase(file);
    return { database, lock, opening: { ...migrated, owesCheck: noteOpen(database, isChecked) } };
  } catch (cause) {
    lock.release();
    throw cause;
  }
}

function serve(database: Database.Database, lock: OwnerLock): void {
  const verbs = new WriteVerbs({ database });
  const groups = new GroupCommit({ database, apply: (verb) => verbs.apply(verb) });
  serveMailbox<WriteVerb>(port, {
    run: (group) => afterCommit(database, group, groups.commit(group)),
    close() {
      noteClosed(database);
      database.pragma("wal_checkpoint(TRUNCATE)");
      database.close();
      lock.release();
    },
  });
}

/** What no transaction can do comes after that of its group, before anybody is answered. */
function afterCommit(
  database: Database.Database,
  group: readonly WriteVerb[],
  outcome: GroupOutcome,
): GroupOutcome {
  if (outcome.fatal !== null || !group.some((verb) => verb.kind === "emptyLog")) return outcome;
  try {
    emptyLog(database);
    return outcome;
  } catch (error) {
    return { ...outcome, fatal: verbFailure(error, "emptying the log", file) };
  }
}

/** Whether a check is owed. A full disk, on which nothing is noted, is no reason not to start. */
function noteOpen(database: Database.Database, isChecked: boolean): boolean {
  try {
    const note = database.prepare<[object], { readonly owes_check: number }>(jobSql.noteOpen);
    return note.get({ isChecked: isChecked ? 1 : 0 })?.owes_check === 1;
  } catch (error) {
    if (reachOf(error) !== "full") throw error;
    return !isChecked;
  }
}

/** On a full disk it cannot be noted: then the next start has the file checked for nothing. */
function noteClosed(database: Database.Database): void {
  try {
    database.prepare(jobSql.noteClosed).run();
  } catch (error) {
    if (reachOf(error) !== "full") throw error;
  }
}
