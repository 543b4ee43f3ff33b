import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jobSql } from "../../../src/store/sqlite/job-sql.ts";
import { openForTest } from "./open-for-test.ts";

// The plans of an empty database without statistics, which is what a daemon prepares its
// statements on. Every statement is held against them, so that a new one is as well.

type Verb = keyof typeof jobSql;

/** These walk an index by intent; the table itself they must not touch. */
const walkers: Verb[] = ["lanes", "countByState"];

const index: Partial<Record<Verb, RegExp>> = {
  claim: /SEARCH job USING INDEX sqlite_autoindex_job_1 \(id=\?\)/,
  markWorking: /SEARCH job USING INDEX sqlite_autoindex_job_1 \(id=\?\)/,
  settle: /SEARCH job USING INDEX sqlite_autoindex_job_1 \(id=\?\)/,
  putBack: /SEARCH job USING INDEX sqlite_autoindex_job_1 \(id=\?\)/,
  endWaiting: /SEARCH job USING INDEX sqlite_autoindex_job_1 \(id=\?\)/,
  job: /SEARCH job USING INDEX sqlite_autoindex_job_1 \(id=\?\)/,
  waitingIn: /USING INDEX job_waiting \(class=\? AND runner_key=\? AND client=\? AND seq>\?\)/,
  failPoison: /SEARCH job USING INDEX job_running/,
  deletePoisonPayloads: /SEARCH job USING INDEX job_running/,
  requeueInterrupted: /SEARCH job USING INDEX job_running/,
  cancelOnSocket: /job USING (COVERING )?INDEX job_on_socket/,
  prune: /SEARCH job USING COVERING INDEX job_ended \(ended_at_ms<\?\)/,
  lanes: /SCAN job USING COVERING INDEX job_waiting/,
};

describe("the plan of each statement", () => {
  const folder = mkdtempSync(join(tmpdir(), "foreman-plans-"));
  const file = join(folder, "foreman.db");
  let database: Database.Database;

  beforeAll(async () => {
    await (await openForTest(file)).close();
    database = new Database(file, { readonly: true });
  });

  afterAll(() => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(Object.keys(jobSql) as Verb[])("%s walks no table and sorts nothing", (verb) => {
    const sql = jobSql[verb];
    const names = [...sql.matchAll(/@(\w+)/g)].map((match) => [match[1], 1]);

    const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(Object.fromEntries(names));
    const plan = steps.map((step) => (step as { detail: string }).detail).join("\n");

    expect(plan).not.toContain("TEMP B-TREE");
    const walks = plan.match(/^SCAN (job|payload|document|heartbeat).*/gm) ?? [];
    const allowed = walkers.includes(verb) ? /COVERING INDEX/ : /INDEX job_on_socket/;
    for (const walk of walks) expect(walk).toMatch(allowed);
    expect(plan).toMatch(index[verb] ?? /(?:)/);
  });
});
