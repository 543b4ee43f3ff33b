import assert from "node:assert/strict";
import type Database from "better-sqlite3";
import type { Ending, JobId } from "../../job.ts";
import type { Answer, Insertion, StoredJob } from "../store.ts";
import { BatchVerbs } from "./batch-verbs.ts";
import { CancelWaiting } from "./cancel-waiting.ts";
import type { DiskWatch } from "./disk-watch.ts";
import { shrinkDatabase } from "./give-back-space.ts";
import { jobSql } from "./job-sql.ts";
import { OutboxWriter } from "./outbox-writer.ts";
import { recoverInterrupted } from "./recover-interrupted.ts";
import { type JobRow, type LaneRow, laneDepth, storedJob } from "./rows.ts";
import type { VerbAnswer, WriteVerb } from "./verb.ts";

type EndedRow = { readonly seq: number; readonly is_durable: number };

/** The verbs over one connection; the caller opens and commits the transaction around them. */
export class WriteVerbs {
  readonly #database: Database.Database;
  readonly #batches: BatchVerbs;
  readonly #disk: DiskWatch;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #outbox: OutboxWriter;
  readonly #cancelWaiting: CancelWaiting;

  constructor(deps: { database: Database.Database; disk: DiskWatch }) {
    this.#database = deps.database;
    this.#batches = new BatchVerbs(deps);
    this.#disk = deps.disk;
    this.#cancelWaiting = new CancelWaiting(deps.database);
    this.#statements = prepare(deps.database);
    this.#outbox = new OutboxWriter(deps);
  }

  /** Applies one verb. Throws SqliteError or ForemanError: the caller undoes what it began. */
  apply(verb: WriteVerb): VerbAnswer {
    const statements = this.#statements;
    switch (verb.kind) {
      case "insertJob":
        return this.#insertJob(verb);
      case "claim":
        return statements.claim.run(verb).changes === 1 ? "claimed" : "lost";
      case "markWorking":
        return statements.markWorking.run(verb).changes === 1 ? "marked" : "stale";
      case "settle":
        return this.#settle(verb);
      case "putBack": {
        const { counted, why } = verb.putBack;
        const { changes } = statements.putBack.run({ ...verb, refund: counted ? 0 : 1, why });
        return changes === 1 ? "queued" : "stale";
      }
      case "endWaiting":
        return this.#endWaiting(verb.id, verb.ending, verb.atMs);
      case "cancelWaiting":
        return this.#cancelWaiting.apply(verb);
      case "recoverInterrupted":
        return recoverInterrupted(this.#database, verb.atMs);
      case "job": {
        const row = statements.job.get(verb);
        return row === undefined ? null : storedJob(row);
      }
      case "body":
        return statements.body.get(verb)?.body ?? null;
      case "waitingIn":
        return this.#waitingIn(verb);
      case "newestArrival":
        return statements.newestArrival.get()?.newest ?? 0;
      case "lanes":
        return statements.lanes.all().map(laneDepth);
      case "prune":
        statements.noteNewest.run();
        return statements.prune.run(verb).changes;
      case "shrink":
        return shrinkDatabase(this.#database);
      case "emptyLog":
        // No transaction can do it: the thread does, when the group of this verb is committed.
        return undefined;
      case "noteSound":
        statements.noteSound.run();
        return undefined;
      case "remember":
        statements.remember.run(verb);
        return undefined;
      case "recall":
        return statements.recall.get(verb)?.bytes ?? null;
      case "heartbeat":
        statements.heartbeat.run();
        return this.#disk.view();
      case "noteDelivered":
      case "noteFailed":
      case "giveUp":
      case "endWebhook":
        this.#outbox.apply(verb);
        return undefined;
      default:
        return this.#batches.apply(verb);
    }
  }

  #insertJob({ job, body, forItem, ...options }: WriteVerb & { kind: "insertJob" }): Insertion {
    // Before the job: what fails leaves no trace of either.
    if (forItem !== null && !this.#batches.link(forItem, job)) return { kind: "unwanted" };
    const bound = { ...job, ...options, isDurable: job.isDurable ? 1 : 0 };
    const inserted = this.#statements.insertJob.get(bound);
    if (inserted === undefined) {
      const holder = this.#statements.keyHolder.get(bound);
      assert(holder !== undefined, "only a key that is held keeps a job out without an error");
      return { kind: "known", job: storedJob(holder) };
    }
    // A known key is no new job: whoever repeats a request is answered on a full disk as well.
    if (job.isDurable) this.#disk.admit(body?.length ?? 0);
    const { seq } = inserted;
    if (body !== null) this.#statements.insertPayload.run({ seq, body });
    return { kind: "inserted", arrival: seq };
  }

  #settle(verb: WriteVerb & { kind: "settle" }): "settled" | "stale" {
    const { id, attempt, atMs } = verb;
    const ended = this.#statements.settle.get({ ...verb.ending, id, attempt, atMs });
    if (ended === undefined) return "stale";
    this.#dropBody(ended);
    if (verb.answer !== null) this.#insertAnswer(ended, verb.answer);
    return "settled";
  }

  #insertAnswer({ seq }: EndedRow, answer: Answer): void {
    const isCompressed = answer.isCompressed ? 1 : 0;
    this.#statements.insertAnswer.run({ ...answer, seq, isCompressed });
  }

  #endWaiting(id: JobId, ending: Ending, atMs: number): "ended" | "lost" {
    const ended = this.#statements.endWaiting.get({ ...ending, id, atMs });
    if (ended === undefined) return "lost";
    this.#dropBody(ended);
    return "ended";
  }

  #waitingIn(verb: WriteVerb & { kind: "waitingIn" }): readonly StoredJob[] {
    const { afterArrival, limit } = verb;
    return this.#statements.waitingIn.all({ ...verb.lane, afterArrival, limit }).map(storedJob);
  }

  /** Nothing runs an ended job again, so its prompt has no more business on the disk. */
  #dropBody(ended: EndedRow): void {
    if (ended.is_durable === 1) this.#statements.deletePayload.run(ended);
  }
}

function prepare(database: Database.Database) {
  return {
    insertJob: database.prepare<[object], { readonly seq: number }>(jobSql.insertJob),
    keyHolder: database.prepare<[object], JobRow>(jobSql.keyHolder),
    insertPayload: database.prepare<[object]>(jobSql.insertPayload),
    claim: database.prepare<[object]>(jobSql.claim),
    markWorking: database.prepare<[object]>(jobSql.markWorking),
    settle: database.prepare<[object], EndedRow>(jobSql.settle),
    putBack: database.prepare<[object]>(jobSql.putBack),
    endWaiting: database.prepare<[object], EndedRow>(jobSql.endWaiting),
    insertAnswer: database.prepare<[object]>(jobSql.insertAnswer),
    deletePayload: database.prepare<[object]>(jobSql.deletePayload),
    job: database.prepare<[object], JobRow>(jobSql.job),
    body: database.prepare<[object], { readonly body: Uint8Array }>(jobSql.body),
    waitingIn: database.prepare<[object], JobRow>(jobSql.waitingIn),
    newestArrival: database.prepare<[], { readonly newest: number }>(jobSql.newestArrival),
    lanes: database.prepare<[], LaneRow>(jobSql.lanes),
    noteNewest: database.prepare(jobSql.noteNewest),
    prune: database.prepare<[object]>(jobSql.prune),
    noteSound: database.prepare(jobSql.noteSound),
    remember: database.prepare<[object]>(jobSql.remember),
    recall: database.prepare<[object], { readonly bytes: Uint8Array }>(jobSql.recall),
    heartbeat: database.prepare(jobSql.heartbeat),
  };
}
