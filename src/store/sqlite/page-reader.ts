import type Database from "better-sqlite3";
import type { Page, StoredJob } from "../store.ts";
import { OnDemand } from "./on-demand.ts";
import { pageSql } from "./page-sql.ts";
import { type JobRow, storedJob } from "./rows.ts";

/** Reads pages of jobs. */
export class PageReader {
  readonly #pages: OnDemand<JobRow>;

  constructor(deps: { database: Database.Database }) {
    this.#pages = new OnDemand(deps.database);
  }

  /** The page's jobs, newest first. Throws SqliteError. */
  read(page: Page): readonly StoredJob[] {
    const { after = Number.MAX_SAFE_INTEGER } = page;
    return this.#pages
      .statement(pageSql(page))
      .all({ ...page, after })
      .map(storedJob);
  }
}
