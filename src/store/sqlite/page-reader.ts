import type Database from "better-sqlite3";
import type { Page, StoredJob } from "../store.ts";
import { pageSql } from "./page-sql.ts";
import { type JobRow, storedJob } from "./rows.ts";

/** Reads pages of jobs; a combination of filters has its statement prepared when it first comes. */
export class PageReader {
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement<[object], JobRow>>();

  constructor(deps: { database: Database.Database }) {
    this.#database = deps.database;
  }

  /** The page's jobs, newest first. Throws SqliteError. */
  read(page: Page): readonly StoredJob[] {
    const { after = Number.MAX_SAFE_INTEGER } = page;
    return this.#statement(pageSql(page))
      .all({ ...page, after })
      .map(storedJob);
  }

  #statement(sql: string): Database.Statement<[object], JobRow> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare<[object], JobRow>(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
