import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import type { JobState } from "../../job.ts";
import { transitionsMax } from "../store.ts";
import { BatchReader } from "./batch-reader.ts";
import { jobSql } from "./job-sql.ts";
import { OutboxReader } from "./outbox-reader.ts";
import { PageReader } from "./page-reader.ts";
import { type AnswerRow, storedAnswer, type TransitionRow, transitionOf } from "./rows.ts";
import { serveMailbox } from "./serve-mailbox.ts";
import { reachOf, verbFailure } from "./sqlite-failure.ts";
import type { FromThread, GroupOutcome, Outcome, ThreadStart } from "./thread-message.ts";
import type { ReadVerb, VerbAnswer } from "./verb.ts";

// The thread for reads that may take long. WAL lets them run beside the commits; each ends its
// snapshot with its statement, because one left open would keep the log from being emptied.

const { file }: ThreadStart = workerData;
assert(parentPort !== null, "runs as a thread of the store's");
const opened: FromThread = { kind: "opened", opening: null };

const database = new Database(file, { readonly: true, fileMustExist: true });
const storedAnswers = database.prepare<[object], AnswerRow>(jobSql.answer);
const transitions = database.prepare<[object], TransitionRow>(jobSql.transitions);
const position = database.prepare<[object], { readonly position: number }>(jobSql.position);
const pages = new PageReader({ database });
const batches = new BatchReader({ database });
const outbox = new OutboxReader({ database });
const countByState = database.prepare<[], Record<JobState, number>>(jobSql.countByState);

serveMailbox<ReadVerb>(parentPort, { run, close: () => database.close() });
parentPort.postMessage(opened);

function run(verbs: readonly ReadVerb[]): GroupOutcome {
  const outcomes: Outcome[] = [];
  for (const verb of verbs) {
    try {
      outcomes.push({ kind: "answered", answer: answer(verb) });
    } catch (error) {
      const failure = verbFailure(error, verb.kind, file);
      if (reachOf(error) === "fatal") return { outcomes, fatal: failure };
      outcomes.push({ kind: "failed", failure });
    }
  }
  return { outcomes, fatal: null };
}

function answer(verb: ReadVerb): VerbAnswer {
  switch (verb.kind) {
    case "answer": {
      const row = storedAnswers.get(verb);
      return row === undefined ? null : storedAnswer(row);
    }
    case "transitions":
      return transitions.all({ ...verb, limit: transitionsMax }).map(transitionOf);
    case "position":
      return position.get({ ...verb.lane, arrival: verb.arrival })?.position ?? 0;
    case "page":
      return pages.read(verb.page);
    case "dueDeliveries":
      return outbox.due(verb.nowMs, verb.perOrigin);
    case "outboxDepth":
      return outbox.depth();
    case "countByState": {
      const counts = countByState.get();
      assert(counts !== undefined, "an aggregate always has a row");
      return counts;
    }
    default:
      return batches.read(verb);
  }
}
