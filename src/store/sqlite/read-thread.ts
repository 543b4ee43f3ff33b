import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import { ReadVerbs } from "./read-verbs.ts";
import { serveMailbox } from "./serve-mailbox.ts";
import { reachOf, verbFailure } from "./sqlite-failure.ts";
import type { FromThread, GroupOutcome, Outcome, ThreadStart } from "./thread-message.ts";
import type { ReadVerb } from "./verb.ts";

// The thread for reads that may take long. WAL lets them run beside the commits; each ends its
// snapshot with its statement, because one left open would keep the log from being emptied.

const { file }: ThreadStart = workerData;
assert(parentPort !== null, "runs as a thread of the store's");
const opened: FromThread = { kind: "opened", opening: null };

const database = new Database(file, { readonly: true, fileMustExist: true });
const reads = new ReadVerbs({ database });

serveMailbox<ReadVerb>(parentPort, { run, close: () => database.close() });
parentPort.postMessage(opened);

function run(verbs: readonly ReadVerb[]): GroupOutcome {
  const outcomes: Outcome[] = [];
  for (const verb of verbs) {
    try {
      outcomes.push({ kind: "answered", answer: reads.answer(verb) });
    } catch (error) {
      const failure = verbFailure(error, verb.kind, file);
      if (reachOf(error) === "fatal") return { outcomes, fatal: failure };
      outcomes.push({ kind: "failed", failure });
    }
  }
  return { outcomes, fatal: null };
}
