import { describe, expect, test } from "vitest";
import { batchPageSql, batchSql, itemPageSql } from "../../../src/store/sqlite/batch-sql.ts";
import { plannedDatabase } from "./planned-database.ts";

// As in plans.test.ts: the plans of an empty database, for every statement over batches.

type Verb = keyof typeof batchSql;

/** For the start alone, and over the few rows that their index holds. */
const walkers: Verb[] = ["openBatches", "recoverItems"];

describe("the plan of each statement over batches", () => {
  const planOf = plannedDatabase();

  test.each(Object.keys(batchSql) as Verb[])("%s walks no table and sorts nothing", (verb) => {
    const plan = planOf(batchSql[verb]);

    expect(plan).not.toContain("TEMP B-TREE");
    const walks = plan.match(/^SCAN (runtime_\w+|job|answer).*/gm) ?? [];
    if (walkers.includes(verb))
      expect(plan).toMatch(/USING (COVERING )?INDEX (batch_open|item_running)/);
    else expect(walks).toEqual([]);
  });

  test.each([
    [{}, "INTEGER PRIMARY KEY (rowid<?)"],
    [{ status: "queued" }, "INDEX batch_status (status=? AND rowid<?)"],
    [{ client: "ann" }, "INDEX batch_client (client=? AND rowid<?)"],
    [{ client: "ann", status: "queued" }, "INDEX batch_client (client=? AND rowid<?)"],
  ])("a page of batches by %o seeks its head and sorts nothing", (page, lead) => {
    expect(planOf(batchPageSql(page))).toBe(`SEARCH runtime_llm_jobs USING ${lead}`);
  });

  test.each([{}, { status: "failed" }, { approval: "approved" }])(
    "a page of items by %o begins where the last ended",
    (page) => {
      const [first, ...rest] = planOf(itemPageSql(page)).split("\n");

      expect(first).toBe(
        "SEARCH runtime_llm_job_items USING PRIMARY KEY (job_seq=? AND item_no>?)",
      );
      for (const step of rest) expect(step).toMatch(/^SEARCH .*PRIMARY KEY/);
    },
  );
});
