import type Database from "better-sqlite3";
import type { JobClass } from "../../job.ts";
import type { Recovery } from "../store.ts";
import { jobSql } from "./job-sql.ts";

/** A job that was running at so many deaths of the daemon is taken for their cause. */
const deathsMax = 3;

const poisonMessage =
  `foreman died ${deathsMax} times while this job ran: it will not be run again; ` +
  "look for the cause in foreman's log before submitting it anew";

const goneMessage = "foreman was restarted, and with it the client's connection was lost";

/**
 * Gives every job of a dead daemon its place back or its end, inside the caller's transaction.
 * Touches only those jobs, by their indexes, however many wait. `atMs`: wall clock of their end.
 */
export function recoverInterrupted(database: Database.Database, atMs: number): Recovery {
  // Poisoned ones first: what runs after that waits again.
  database.prepare<[object]>(jobSql.deletePoisonPayloads).run({ deathsMax });
  const poisoned = database
    .prepare<[object], JobClass>(jobSql.failPoison)
    .pluck()
    .all({ deathsMax, atMs, message: poisonMessage });
  const requeued = database.prepare<[object]>(jobSql.requeueInterrupted).run({ atMs });
  const cancelled = database
    .prepare<[object], JobClass>(jobSql.cancelOnSocket)
    .pluck()
    .all({ atMs, message: goneMessage });
  return { requeued: requeued.changes, cancelled, poisoned };
}
