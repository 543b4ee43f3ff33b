import assert from "node:assert/strict";
import type Database from "better-sqlite3";
import type { JobState } from "../../job.ts";
import { transitionsMax } from "../store.ts";
import { BatchReader } from "./batch-reader.ts";
import { jobSql } from "./job-sql.ts";
import { OutboxReader } from "./outbox-reader.ts";
import { PageReader } from "./page-reader.ts";
import { type AnswerRow, storedAnswer, type TransitionRow, transitionOf } from "./rows.ts";
import type { ReadVerb, VerbAnswer } from "./verb.ts";

/** The reads of what was committed, over one connection; each is one statement's snapshot. */
export class ReadVerbs {
  readonly #batches: BatchReader;
  readonly #outbox: OutboxReader;
  readonly #pages: PageReader;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(deps: { readonly database: Database.Database }) {
    this.#batches = new BatchReader(deps);
    this.#outbox = new OutboxReader(deps);
    this.#pages = new PageReader(deps);
    this.#statements = prepare(deps.database);
  }

  /** Throws SqliteError. */
  answer(verb: ReadVerb): VerbAnswer {
    const { answer, countByState, position, transitions } = this.#statements;
    switch (verb.kind) {
      case "answer": {
        const row = answer.get(verb);
        return row === undefined ? null : storedAnswer(row);
      }
      case "transitions":
        return transitions.all({ ...verb, limit: transitionsMax }).map(transitionOf);
      case "position":
        return position.get({ ...verb.lane, arrival: verb.arrival })?.position ?? 0;
      case "page":
        return this.#pages.read(verb.page);
      case "dueDeliveries":
        return this.#outbox.due(verb.nowMs, verb.perOrigin);
      case "outboxDepth":
        return this.#outbox.depth();
      case "countByState": {
        const counts = countByState.get();
        assert(counts !== undefined, "an aggregate always has a row");
        return counts;
      }
      default:
        return this.#batches.read(verb);
    }
  }
}

function prepare(database: Database.Database) {
  return {
    answer: database.prepare<[object], AnswerRow>(jobSql.answer),
    transitions: database.prepare<[object], TransitionRow>(jobSql.transitions),
    position: database.prepare<[object], { readonly position: number }>(jobSql.position),
    countByState: database.prepare<[], Record<JobState, number>>(jobSql.countByState),
  };
}
