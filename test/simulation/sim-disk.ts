// What outlives a life of the daemon: a SQLite database in memory, of foreman's own schema.
import Database from "better-sqlite3";
import type { JobId, Transition } from "../../src/job.ts";
import type { ItemKey, ItemStatus, StoredBatch } from "../../src/store/batch-store.ts";
import { readMigrations } from "../../src/store/read-migrations.ts";
import { type BatchRow, storedBatch } from "../../src/store/sqlite/batch-rows.ts";
import { DiskWatch } from "../../src/store/sqlite/disk-watch.ts";
import { ReadVerbs } from "../../src/store/sqlite/read-verbs.ts";
import { type JobRow, storedJob } from "../../src/store/sqlite/rows.ts";
import { WriteVerbs } from "../../src/store/sqlite/write-verbs.ts";
import type { Answer, StoredJob } from "../../src/store/store.ts";

/** A job, and how often the daemon died while it ran. */
export type SimRow = StoredJob & { readonly deaths: number };

/** An item of a batch. */
export type SimItem = ItemKey & {
  readonly name: string;
  readonly status: ItemStatus;
  readonly queueJob: string | null;
};

type Row = JobRow & { readonly deaths: number };

const migrations = new URL("../../src/store/migrations/sqlite/", import.meta.url);

/** The disks of worlds that are over: to prepare their statements took longer than a life. */
const free: SimDisk[] = [];

export class SimDisk {
  readonly database = open();
  readonly #tables = tablesOf(this.database);
  /** Shared by all lives: there is nothing in them that a death would lose. */
  readonly writes = new WriteVerbs({
    database: this.database,
    disk: new DiskWatch({ file: ":memory:", floorBytes: 0 }),
  });
  readonly reads = new ReadVerbs({ database: this.database });
  readonly #all = this.database.prepare<[], Row>("SELECT * FROM job ORDER BY seq");
  readonly #one = this.database.prepare<[string], Row>("SELECT * FROM job WHERE id = ?");
  readonly #outbox = this.database.prepare<[], number>("SELECT count(*) FROM outbox").pluck();
  readonly #item = this.database
    .prepare<[number, number], string>(
      "SELECT request_id FROM runtime_llm_job_items WHERE job_seq = ? AND item_no = ?",
    )
    .pluck();
  readonly #items = this.database.prepare<[], SimItem>(
    `SELECT job_seq AS batch, item_no AS itemNo, request_id AS name, status, queue_job AS queueJob
    FROM runtime_llm_job_items
    WHERE job_seq IN (SELECT seq FROM runtime_llm_jobs WHERE status <> 'ingesting')`,
  );
  readonly #batches = this.database.prepare<[], BatchRow>(
    "SELECT * FROM runtime_llm_jobs WHERE status <> 'ingesting'",
  );
  readonly #owed = this.database.prepare<[], Row>(
    "SELECT * FROM job WHERE is_durable = 1 AND ended_at_ms IS NULL ORDER BY seq",
  );

  /** An empty one. */
  static take(): SimDisk {
    return free.pop() ?? new SimDisk();
  }

  /** How many webhooks are still to be told. */
  get outboxDepth(): number {
    return this.#outbox.get() ?? 0;
  }

  get rows(): readonly SimRow[] {
    return this.#all.all().map(simRow);
  }

  /** Durable jobs that have not ended. */
  get owed(): readonly SimRow[] {
    return this.#owed.all().map(simRow);
  }

  row(id: string): SimRow | null {
    const row = this.#one.get(id);
    return row === undefined ? null : simRow(row);
  }

  requestIdOf({ batch, itemNo }: ItemKey): string | undefined {
    return this.#item.get(batch, itemNo);
  }

  /** Of batches that are seen. */
  get items(): readonly SimItem[] {
    return this.#items.all();
  }

  get batches(): readonly StoredBatch[] {
    return this.#batches.all().map(storedBatch);
  }

  historyOf(id: JobId): readonly Transition[] {
    return this.reads.answer({ kind: "transitions", id, after: 0 }) as readonly Transition[];
  }

  answerOf(id: JobId): Answer | null {
    return this.reads.answer({ kind: "answer", id }) as Answer | null;
  }

  /** Does to it what no verb does; answers how many rows that changed. */
  run(sql: string, ...bound: readonly (string | number)[]): number {
    return this.database.prepare(sql).run(...bound).changes;
  }

  forget(id: string): void {
    this.run("DELETE FROM job WHERE id = ?", id);
  }

  /** What was begun and not committed is gone with the process that began it. */
  abandon(): void {
    if (this.database.inTransaction) this.database.exec("ROLLBACK");
  }

  /** Empties it for another world. */
  release(): void {
    this.abandon();
    this.database.pragma("foreign_keys = OFF");
    for (const { empty, refill, rows } of this.#tables) {
      empty.run();
      for (const row of rows) refill?.run(row);
    }
    this.database.pragma("foreign_keys = ON");
    free.push(this);
  }
}

function open(): Database.Database {
  const database = new Database(":memory:");
  for (const { sql } of readMigrations(migrations)) database.exec(sql);
  database.pragma("foreign_keys = ON");
  database.pragma("secure_delete = ON");
  return database;
}

/** The tables of a new database, with the rows that stand in them from the beginning. */
function tablesOf(database: Database.Database) {
  const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck();
  return (names.all() as string[]).map((name) => {
    const rows = database.prepare<[], object>(`SELECT * FROM ${name}`).all();
    const columns = Object.keys(rows[0] ?? {});
    const values = columns.map((column) => `@${column}`);
    const insert = `INSERT INTO ${name} (${columns.join()}) VALUES (${values.join()})`;
    const refill = rows.length === 0 ? null : database.prepare<[object]>(insert);
    return { rows, refill, empty: database.prepare(`DELETE FROM ${name}`) };
  });
}

function simRow(row: Row): SimRow {
  return { ...storedJob(row), deaths: row.deaths };
}
