import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import pino from "pino";
import { systemClock } from "../src/clock.ts";
import { newJobId } from "../src/job.ts";
import { jobSql } from "../src/store/sqlite/job-sql.ts";
import { openSqliteStore } from "../src/store/sqlite/open-sqlite-store.ts";
import type { SqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { loadKeyOf } from "../src/target/load-key.ts";
import type { Bench } from "./row.ts";

/** Jobs in one transaction of the filling. */
const groupJobs = 20_000;

/** How many wait in a deep queue. */
export function deepJobs({ isQuick }: Bench): number {
  return isQuick ? 100_000 : 1_000_000;
}

/** The jobs are of so many clients, whose jobs stand in lanes of their own. */
export const backlogClients = 50;

const body = JSON.stringify({
  model: "bench-chat",
  messages: [{ role: "user", content: "Why does a queue in front of one GPU help? ".repeat(6) }],
});

const made = new Map<number, Promise<string>>();

/**
 * Gives `act` a database in which so many durable batch jobs wait, all for the model that
 * `fast-target.ts` has, and deletes it afterwards. It is filled once for each number, with the
 * store's own statements in large transactions, and copied.
 */
export async function onBacklog<Result>(
  jobs: number,
  act: (file: string) => Promise<Result>,
): Promise<Result> {
  const filled = made.get(jobs) ?? fill(jobs);
  made.set(jobs, filled);
  const folder = mkdtempSync(join(tmpdir(), "foreman-bench-"));
  const file = join(folder, "foreman.db");
  try {
    copyFileSync(await filled, file, constants.COPYFILE_FICLONE);
    flush(file);
    return await act(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Else the first commit waits until the copy is on the disk. */
function flush(file: string): void {
  const descriptor = openSync(file, "r+");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** The store of a database, in this process. */
export function openStore(file: string): Promise<SqliteStore> {
  return openSqliteStore({
    databaseFile: file,
    log: pino({ level: "silent" }),
    clock: systemClock,
    onFatal: (failure) => {
      throw failure;
    },
  });
}

async function fill(jobs: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "foreman-backlog-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "foreman.db");
  await (await openStore(file)).close();

  const database = new Database(file);
  // Nothing is at stake while it is filled.
  database.pragma("synchronous = OFF");
  database.pragma("cache_size = -400000");
  const insert = database.prepare<[object], { seq: number }>(jobSql.insertJob);
  const insertBody = database.prepare<[object]>(jobSql.insertPayload);
  const insertGroup = database.transaction((from: number, to: number) => {
    for (let i = from; i < to; i += 1) {
      const seq = insert.get(jobOf(i))?.seq;
      insertBody.run({ seq, body: Buffer.from(body) });
    }
  });
  for (let from = 0; from < jobs; from += groupJobs) {
    insertGroup(from, Math.min(jobs, from + groupJobs));
  }
  database.pragma("wal_checkpoint(TRUNCATE)");
  database.close();
  return file;
}

function jobOf(index: number) {
  return {
    id: newJobId(Date.now()),
    class: "batch",
    client: `client-${index % backlogClients}`,
    route: "/api/chat",
    model: "bench-chat",
    loadKey: loadKeyOf("bench-chat", ""),
    isDurable: 1,
    bodyBytes: body.length,
    bodyHash: "0".repeat(64),
    enqueuedAtMs: Date.now(),
    idempotencyKey: null,
    webhookUrl: null,
  };
}
