import type Database from "better-sqlite3";
import { outboxSql } from "./outbox-sql.ts";
import type { OutboxVerb } from "./verb.ts";

/** The verbs that change the outbox, inside the caller's transaction. */
export class OutboxWriter {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(deps: { database: Database.Database }) {
    this.#statements = prepare(deps.database);
  }

  /** Applies one verb. Throws SqliteError. */
  apply(verb: OutboxVerb): void {
    const statements = this.#statements;
    switch (verb.kind) {
      case "noteDelivered":
        statements.remove.run(verb);
        return;
      case "noteFailed":
        statements.noteFailed.run(verb);
        return;
      case "giveUp":
        statements.passTriesOn.run(verb);
        statements.remove.run(verb);
        return;
      case "endWebhook":
        // First the job, which is found by the row.
        statements.forgetUrl.run(verb);
        statements.removeOfJob.run(verb);
        return;
      default:
        verb satisfies never;
    }
  }
}

function prepare(database: Database.Database) {
  return {
    remove: database.prepare<[object]>(outboxSql.remove),
    noteFailed: database.prepare<[object]>(outboxSql.noteFailed),
    passTriesOn: database.prepare<[object]>(outboxSql.passTriesOn),
    forgetUrl: database.prepare<[object]>(outboxSql.forgetUrl),
    removeOfJob: database.prepare<[object]>(outboxSql.removeOfJob),
  };
}
