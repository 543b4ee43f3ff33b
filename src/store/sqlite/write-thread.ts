import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import type Database from "better-sqlite3";
import { type Migrated, migrate } from "../migrate.ts";
import { readMigrations } from "../read-migrations.ts";
import { connectDatabase } from "./connect-database.ts";
import { createDatabase } from "./create-database.ts";
import { DiskWatch } from "./disk-watch.ts";
import { GroupCommit } from "./group-commit.ts";
import { migrationTarget } from "./migration-target.ts";
import { type OwnerLock, takeOwnerLock } from "./owner-lock.ts";
import { securePlace } from "./private-file.ts";
import { serveMailbox } from "./serve-mailbox.ts";
import { openFailure, verbFailure } from "./sqlite-failure.ts";
import type { Failure, FromThread, ThreadStart } from "./thread-message.ts";
import { foldLog, proveLog, tidyDisk } from "./tidy-disk.ts";
import type { WriteVerb } from "./verb.ts";
import { WriteVerbs } from "./write-verbs.ts";

// The thread that owns the database: the lock, the one writing connection, and every commit.

type Opened = {
  readonly database: Database.Database;
  readonly lock: OwnerLock;
  readonly migrated: Migrated;
};

const { file, floorBytes, migrations }: ThreadStart = workerData;
assert(parentPort !== null, "runs as a thread of the store's");
const port = parentPort;
const reply = (message: FromThread) => port.postMessage(message);

try {
  const { database, lock, migrated } = open();
  serve(database, lock);
  reply({ kind: "opened", migrated });
} catch (error) {
  reply({ kind: "refused", failure: openFailure(error, file) });
}

/** The lock comes first: nothing of the database may be touched while another owns it. */
function open(): Opened {
  securePlace(file);
  const lock = takeOwnerLock(file);
  try {
    createDatabase(file);
    const migrated = migrate(migrationTarget(file), readMigrations(new URL(migrations)));
    return { database: connectDatabase(file), lock, migrated };
  } catch (cause) {
    lock.release();
    throw cause;
  }
}

function serve(database: Database.Database, lock: OwnerLock): void {
  const disk = new DiskWatch({ file, floorBytes });
  const verbs = new WriteVerbs({ database, disk });
  const groups = new GroupCommit({ database, apply: (verb) => verbs.apply(verb) });
  serveMailbox<WriteVerb>(port, {
    run(group) {
      if (group.some(asksForRoom)) disk.look();
      const outcome = groups.commit(group);
      if (outcome.fatal !== null) return outcome;
      const fatal = lookAfter(database, new Set(group.map(({ kind }) => kind)));
      return { ...outcome, fatal };
    },
    close() {
      foldLog(database);
      database.close();
      lock.release();
    },
  });
}

/** Once for a group: a look takes some 15 µs, and 256 jobs may come in one. */
function asksForRoom({ kind }: WriteVerb): boolean {
  return kind === "insertJob" || kind === "heartbeat";
}

/**
 * What must be done after some verbs and before anybody is answered: what was pruned is wiped, and
 * a heartbeat proves the whole way to the disk. Answers why the disk failed; null if it did not.
 */
function lookAfter(
  database: Database.Database,
  kinds: ReadonlySet<WriteVerb["kind"]>,
): Failure | null {
  try {
    if (kinds.has("prune")) tidyDisk(database);
    if (kinds.has("heartbeat")) proveLog(database);
    return null;
  } catch (error) {
    return verbFailure(error, "folding in its log", file);
  }
}
