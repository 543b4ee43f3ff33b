import type Database from "better-sqlite3";

/**
 * Statements that are prepared when they first come, such as those of each combination of filters.
 * `Row` is what their rows are; the number of different texts is the caller's to bound.
 */
export class OnDemand<Row> {
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement<[object], Row>>();

  constructor(database: Database.Database) {
    this.#database = database;
  }

  statement(sql: string): Database.Statement<[object], Row> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare<[object], Row>(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
