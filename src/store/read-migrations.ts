import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";

/** One step of the schema; its number is the schema's version after it. */
export type Migration = { readonly number: number; readonly name: string; readonly sql: string };

const migrationName = /^(\d{4})_[a-z0-9_]+\.sql$/;

/**
 * The migrations of a folder of `NNNN_noun.sql` files, in order, numbered from 1 without gaps.
 * A misnamed or missing file is our own mistake and fails an assertion.
 */
export function readMigrations(folder: URL): readonly Migration[] {
  const names = readdirSync(folder).sort();
  return names.map((name, index) => {
    const number = Number(migrationName.exec(name)?.[1]);
    assert.equal(number, index + 1, `${name} is not migration number ${index + 1}`);
    return { number, name, sql: readFileSync(new URL(name, folder), "utf8") };
  });
}
