import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll } from "vitest";
import { openForTest } from "./open-for-test.ts";

/**
 * An empty database without statistics, which is what a daemon prepares its statements on, for the
 * tests of a `describe`. Answers the function that tells a statement's plan, a step a line.
 */
export function plannedDatabase(): (sql: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "foreman-plans-"));
  let database: Database.Database;

  beforeAll(async () => {
    const file = join(folder, "foreman.db");
    await (await openForTest(file)).close();
    database = new Database(file, { readonly: true });
  });

  afterAll(() => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  return (sql) => {
    const names = [...sql.matchAll(/@(\w+)/g)].map((match) => [match[1], 1]);
    const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(Object.fromEntries(names));
    return steps.map((step) => (step as { detail: string }).detail).join("\n");
  };
}
