import Database from "better-sqlite3";
import { reachOf, verbFailure } from "./sqlite-failure.ts";
import type { GroupOutcome, Outcome } from "./thread-message.ts";
import type { VerbAnswer, WriteVerb } from "./verb.ts";

type Deps = {
  readonly database: Database.Database;
  readonly apply: (verb: WriteVerb) => VerbAnswer;
};

/**
 * Commits verbs in groups: one BEGIN IMMEDIATE … COMMIT, so one sync of the disk, for all that
 * waited, and a SAVEPOINT for each, so that a verb that fails undoes itself alone. Measured on a
 * 2-core machine: 512 callers in flight get some 17 times what one alone gets.
 */
export class GroupCommit {
  readonly #database: Database.Database;
  readonly #apply: Deps["apply"];
  readonly #statements: ReturnType<typeof prepare>;

  constructor(deps: Deps) {
    this.#database = deps.database;
    this.#apply = deps.apply;
    this.#statements = prepare(deps.database);
  }

  /**
   * Applies the verbs in order and returns when they are on the disk. Waits for as long as another
   * program holds the write lock. Never throws: after a `fatal` outcome nothing of this group may
   * be believed, and the connection must not be used again.
   */
  commit(verbs: readonly WriteVerb[]): GroupOutcome {
    try {
      this.#begin();
      const outcomes = verbs.map((verb) => this.#savepoint(verb));
      this.#statements.commit.run();
      return { outcomes, fatal: null };
    } catch (error) {
      return this.#undo(error, verbs);
    }
  }

  /**
   * The same, but that it returns when a kill of the process cannot undo it any more: a power cut
   * can, until the log is synced, by the next group or by itself.
   */
  commitUnsynced(verbs: readonly WriteVerb[]): GroupOutcome {
    this.#database.pragma("synchronous = NORMAL");
    const outcome = this.commit(verbs);
    if (outcome.fatal === null) this.#database.pragma("synchronous = FULL");
    return outcome;
  }

  #begin(): void {
    for (;;) {
      try {
        this.#statements.begin.run();
        return;
      } catch (error) {
        // The busy timeout has passed in there, so this is no spin. The heartbeat shows the wait.
        if (!isBusy(error)) throw error;
      }
    }
  }

  #savepoint(verb: WriteVerb): Outcome {
    this.#statements.savepoint.run();
    try {
      const answer = this.#apply(verb);
      this.#statements.release.run();
      return { kind: "answered", answer };
    } catch (error) {
      // SQLite may have rolled back the whole group by itself; then it is for `commit` to undo.
      if (reachOf(error) === "fatal" || !this.#database.inTransaction) throw error;
      this.#statements.rollbackTo.run();
      this.#statements.release.run();
      return { kind: "failed", failure: verbFailure(error, verb.kind, this.#database.name) };
    }
  }

  #undo(error: unknown, verbs: readonly WriteVerb[]): GroupOutcome {
    const reach = reachOf(error);
    const what = verbs.length === 1 && verbs[0] ? verbs[0].kind : "commit";
    const failure = verbFailure(error, what, this.#database.name);
    if (reach !== "full") return { outcomes: [], fatal: { ...failure, code: "storage_failed" } };
    if (this.#database.inTransaction) this.#statements.rollback.run();
    if (verbs.length === 1) return { outcomes: [{ kind: "failed", failure }], fatal: null };
    return this.#commitEachAlone(verbs);
  }

  /** On a full disk a large verb must not take the small ones with it that still find room. */
  #commitEachAlone(verbs: readonly WriteVerb[]): GroupOutcome {
    const outcomes: Outcome[] = [];
    for (const verb of verbs) {
      const alone = this.commit([verb]);
      outcomes.push(...alone.outcomes);
      if (alone.fatal !== null) return { outcomes, fatal: alone.fatal };
    }
    return { outcomes, fatal: null };
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY");
}

function prepare(database: Database.Database) {
  return {
    begin: database.prepare("BEGIN IMMEDIATE"),
    savepoint: database.prepare("SAVEPOINT verb"),
    release: database.prepare("RELEASE verb"),
    rollbackTo: database.prepare("ROLLBACK TO verb"),
    rollback: database.prepare("ROLLBACK"),
    commit: database.prepare("COMMIT"),
  };
}
