import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import type Database from "better-sqlite3";
import { migrate } from "../migrate.ts";
import { readMigrations } from "../read-migrations.ts";
import { connectDatabase } from "./connect-database.ts";
import { createDatabase } from "./create-database.ts";
import { DiskWatch } from "./disk-watch.ts";
import { emptyLog, foldLog, proveLog } from "./fold-log.ts";
import { GroupCommit } from "./group-commit.ts";
import { isCheckedAtStart } from "./inspect-database.ts";
import { jobSql } from "./job-sql.ts";
import { LogSync } from "./log-sync.ts";
import { migrationTarget } from "./migration-target.ts";
import { type OwnerLock, takeOwnerLock } from "./owner-lock.ts";
import { securePlace } from "./private-file.ts";
import { serveMailbox } from "./serve-mailbox.ts";
import { openFailure, reachOf, verbFailure } from "./sqlite-failure.ts";
import type { Failure, FromThread, Opening, ThreadStart } from "./thread-message.ts";
import type { WriteVerb } from "./verb.ts";
import { WriteVerbs } from "./write-verbs.ts";

// The thread that owns the database: the lock, the one writing connection, and every commit.

type Opened = {
  readonly database: Database.Database;
  readonly lock: OwnerLock;
  readonly opening: Opening;
};

const { file, floorBytes, migrations }: ThreadStart = workerData;
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
  const disk = new DiskWatch({ file, floorBytes });
  const verbs = new WriteVerbs({ database, disk });
  const groups = new GroupCommit({ database, apply: (verb) => verbs.apply(verb) });
  const log = new LogSync({ file });
  let owesSync = false;
  serveMailbox<WriteVerb>(port, {
    goesAhead,
    run(group) {
      if (group.some(isClaim) && group.every(goesAhead)) {
        owesSync = true;
        return groups.commitUnsynced(group);
      }
      if (group.some(asksForRoom)) disk.look();
      const outcome = groups.commit(group);
      if (outcome.fatal !== null) return outcome;
      const fatal = lookAfter(database, new Set(group.map(({ kind }) => kind)));
      return { ...outcome, fatal };
    },
    rest() {
      if (!owesSync) return null;
      owesSync = false;
      return failureOf(() => log.sync(), "a sync of its log");
    },
    close() {
      log.close();
      noteClosed(database);
      foldLog(database);
      database.close();
      lock.release();
    },
  });
}

/**
 * A job is sent when its claim is written, and not only when it is synced: the target would rest
 * meanwhile. The sync follows at once; docs/adr/0013 says what a power cut before it does.
 */
function goesAhead(verb: WriteVerb): boolean {
  return isClaim(verb) || reads.has(verb.kind);
}

function isClaim({ kind }: WriteVerb): boolean {
  return kind === "claim";
}

const reads: ReadonlySet<WriteVerb["kind"]> = new Set(["body", "job", "recall", "waitingIn"]);

/** Once for a group: a look takes some 15 µs, and 256 jobs may come in one. */
function asksForRoom({ kind }: WriteVerb): boolean {
  return askingForRoom.has(kind);
}

const askingForRoom: ReadonlySet<WriteVerb["kind"]> = new Set([
  "insertJob",
  "appendItems",
  "openBatch",
  "heartbeat",
]);

/**
 * What no transaction can do comes after that of its group, before anybody is answered: the log is
 * emptied, and a heartbeat proves the whole way to the disk. Answers why the disk failed; null if
 * it did not.
 */
function lookAfter(
  database: Database.Database,
  kinds: ReadonlySet<WriteVerb["kind"]>,
): Failure | null {
  return failureOf(() => {
    if (kinds.has("emptyLog")) emptyLog(database);
    if (kinds.has("heartbeat")) proveLog(database);
  }, "folding in its log");
}

function failureOf(act: () => void, what: string): Failure | null {
  try {
    act();
    return null;
  } catch (error) {
    return verbFailure(error, what, file);
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
