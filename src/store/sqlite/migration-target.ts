import { renameSync, rmSync } from "node:fs";
import type { MigrationTarget } from "../migrate.ts";
import type { Migration } from "../read-migrations.ts";
import { connectDatabase } from "./connect-database.ts";
import { inspectDatabase } from "./inspect-database.ts";
import { createPrivate } from "./private-file.ts";

/**
 * A SQLite database that can be migrated. Each step opens its own connection: the version must be
 * read without leaving a trace, and there are steps at few starts only. Throws SqliteError.
 */
export function migrationTarget(file: string): MigrationTarget {
  return {
    name: file,
    version: () => inspectDatabase(file),
    backUp: (label) => backUp(file, label),
    apply: (migration) => apply(file, migration),
  };
}

/** Copies what is committed, whole or not at all: under another name first. */
function backUp(file: string, label: string): void {
  const unfinished = `${file}.${label}.new`;
  rmSync(unfinished, { force: true });
  createPrivate(unfinished);
  const database = connectDatabase(file);
  try {
    database.prepare("VACUUM INTO ?").run(unfinished);
  } finally {
    database.close();
  }
  renameSync(unfinished, `${file}.${label}`);
}

function apply(file: string, migration: Migration): void {
  const database = connectDatabase(file);
  try {
    database
      .transaction(() => {
        database.exec(migration.sql);
        database.pragma(`user_version = ${migration.number}`);
      })
      .immediate();
  } finally {
    database.close();
  }
}
