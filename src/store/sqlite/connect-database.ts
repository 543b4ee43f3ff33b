import assert from "node:assert/strict";
import Database from "better-sqlite3";

/** Older ones may corrupt a WAL database (the WAL-reset race, https://www.sqlite.org/wal.html). */
const versionFloor = [3, 51, 3] as const;

/**
 * Another program's write lock is waited for in the store's own thread, where it stalls no
 * socket; a group that meets it begins again after this.
 */
const busyTimeoutMs = 5000;

const journalBytesMax = 64 * 2 ** 20;

/**
 * Opens an existing database for reading and writing, so that a commit has reached the disk when
 * it returns. Throws SqliteError; fails an assertion if SQLite is too old or took other settings.
 */
export function connectDatabase(file: string): Database.Database {
  const database = new Database(file, { fileMustExist: true, timeout: busyTimeoutMs });
  try {
    assertVersion(database);
    assert.equal(database.pragma("journal_mode = WAL", { simple: true }), "wal");
    // After WAL: better-sqlite3 is built to fall back to NORMAL there, which loses commits at a
    // power cut.
    database.pragma("synchronous = FULL");
    database.pragma("foreign_keys = ON");
    // Deleted prompts are overwritten: see docs/adr/0001 for what it costs.
    database.pragma("secure_delete = ON");
    database.pragma("temp_store = MEMORY");
    database.pragma(`journal_size_limit = ${journalBytesMax}`);
    assertDurable(database);
    return database;
  } catch (cause) {
    database.close();
    throw cause;
  }
}

/** A new value of `synchronous` may be undone by the first read, so it is asked for after one. */
function assertDurable(database: Database.Database): void {
  database.prepare("SELECT count(*) FROM sqlite_schema").get();
  assert.equal(database.pragma("synchronous", { simple: true }), 2, "commits would not be synced");
  assert.equal(database.pragma("foreign_keys", { simple: true }), 1);
}

function assertVersion(database: Database.Database): void {
  const version = String(database.prepare("SELECT sqlite_version()").pluck().get());
  const parts = version.split(".").map(Number);
  const difference = versionFloor
    .map((least, index) => (parts[index] ?? 0) - least)
    .find((delta) => delta !== 0);
  assert.ok((difference ?? 0) >= 0, `SQLite ${version} is older than ${versionFloor.join(".")}`);
}
