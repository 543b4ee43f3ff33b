import { describe, expect, test } from "vitest";
import { jobSql } from "../../../src/store/sqlite/job-sql.ts";
import { outboxSql } from "../../../src/store/sqlite/outbox-sql.ts";
import { pageSql } from "../../../src/store/sqlite/page-sql.ts";
import type { Page } from "../../../src/store/store.ts";
import { plannedDatabase } from "./planned-database.ts";

// Every statement is held against its plan, so that a new one is as well.

const statements = { ...jobSql, ...outboxSql };

type Verb = keyof typeof statements;

/** These walk an index by intent; the table itself they must not touch. */
const walkers: Verb[] = ["lanes", "countByState", "depth"];

const index: Partial<Record<Verb, RegExp>> = {
  claim: /SEARCH job USING INDEX sqlite_autoindex_job_1 \(id=\?\)/,
  markWorking: /SEARCH job USING INDEX sqlite_autoindex_job_1 \(id=\?\)/,
  settle: /SEARCH job USING INDEX sqlite_autoindex_job_1 \(id=\?\)/,
  putBack: /SEARCH job USING INDEX sqlite_autoindex_job_1 \(id=\?\)/,
  endWaiting: /SEARCH job USING INDEX sqlite_autoindex_job_1 \(id=\?\)/,
  job: /SEARCH job USING INDEX sqlite_autoindex_job_1 \(id=\?\)/,
  waitingIn: /USING INDEX job_waiting \(class=\? AND runner_key=\? AND client=\? AND seq>\?\)/,
  position: /COVERING INDEX job_waiting \(class=\? AND runner_key=\? AND client=\? AND seq<\?\)/,
  keyHolder: /USING INDEX job_idempotency \(client=\? AND idempotency_key=\?\)/,
  failPoison: /SEARCH job USING INDEX job_state \(state=\?\)/,
  deletePoisonPayloads: /SEARCH job USING INDEX job_state \(state=\?\)/,
  requeueInterrupted: /SEARCH job USING INDEX job_state \(state=\?\)/,
  sliceEnd: /SEARCH job USING COVERING INDEX job_state \(state=\? AND rowid>\? AND rowid<\?\)/,
  deleteSlicePayloads: /SEARCH job USING INDEX job_state \(state=\? AND rowid>\? AND rowid<\?\)/,
  cancelSlice: /SEARCH job USING INDEX job_state \(state=\? AND rowid>\? AND rowid<\?\)/,
  insertJob: /SEARCH job/,
  answer: /SEARCH answer USING INTEGER PRIMARY KEY/,
  cancelOnSocket: /job USING (COVERING )?INDEX job_on_socket/,
  prune: /SEARCH job USING COVERING INDEX job_ended \(ended_at_ms<\?\)/,
  lanes: /SCAN job USING COVERING INDEX job_waiting/,
  countByState: /SEARCH job USING COVERING INDEX job_state \(state=\?\)/,
  origins: /SEARCH outbox USING INDEX outbox_due \(origin>\?\)/,
  due: /SEARCH outbox USING INDEX outbox_due \(origin=\? AND next_at_ms>\? AND next_at_ms<\?\)/,
  nextAt: /SEARCH outbox USING INDEX outbox_due \(origin=\? AND next_at_ms>\?\)/,
  passTriesOn: /SEARCH later USING COVERING INDEX outbox_job \(job_seq=\? AND n>\?\)/,
  removeOfJob: /SEARCH outbox USING (COVERING )?INDEX outbox_job \(job_seq=\?\)/,
};

describe("the plan of each statement", () => {
  const planOf = plannedDatabase();

  test.each(Object.keys(statements) as Verb[])("%s walks no table and sorts nothing", (verb) => {
    const plan = planOf(statements[verb]);

    expect(plan).not.toContain("TEMP B-TREE");
    const walks =
      plan.match(/^SCAN (job|payload|answer|document|heartbeat|transition|outbox).*/gm) ?? [];
    const allowed = walkers.includes(verb) ? /COVERING INDEX/ : /INDEX job_on_socket/;
    for (const walk of walks) expect(walk).toMatch(allowed);
    expect(plan).toMatch(index[verb] ?? /(?:)/);
  });

  const few = "working";
  const many = "queued";
  const ann = { client: "ann" };
  const m = { model: "m" };
  test.each<{ filter: Omit<Page, "limit">; lead: string }>([
    { filter: {}, lead: "INTEGER PRIMARY KEY (rowid<?)" },
    { filter: { state: few }, lead: "INDEX job_state (state=? AND rowid<?)" },
    { filter: { state: many }, lead: "INDEX job_state (state=? AND rowid<?)" },
    { filter: ann, lead: "INDEX job_client (client=? AND rowid<?)" },
    { filter: m, lead: "INDEX job_model (model=? AND rowid<?)" },
    { filter: { ...ann, ...m }, lead: "INDEX job_client (client=? AND rowid<?)" },
    { filter: { ...ann, ...m, state: few }, lead: "INDEX job_state (state=? AND rowid<?)" },
    { filter: { ...ann, ...m, state: many }, lead: "INDEX job_client (client=? AND rowid<?)" },
    { filter: { ...ann, state: many }, lead: "INDEX job_client (client=? AND rowid<?)" },
    { filter: { ...m, state: many }, lead: "INDEX job_model (model=? AND rowid<?)" },
    { filter: { ...m, state: few }, lead: "INDEX job_state (state=? AND rowid<?)" },
  ])("a page by $filter seeks its head and sorts nothing", ({ filter, lead }) => {
    expect(planOf(pageSql({ ...filter, limit: 1 }))).toBe(`SEARCH job USING ${lead}`);
  });
});
