import assert from "node:assert/strict";
import { parentPort } from "node:worker_threads";
import { SchemaCheck, wordsOf } from "./schema-check.ts";
import type { FromSchemaThread, SchemaReply, ToSchemaThread } from "./schema-message.ts";

// The thread in which schemas are compiled and answers checked: whoever started it ends it when
// that takes too long.

assert(parentPort !== null, "runs as a thread");
const port = parentPort;
const check = new SchemaCheck();

port.on("message", (message: ToSchemaThread) => port.postMessage(answer(message)));
const ready: FromSchemaThread = { kind: "ready" };
port.postMessage(ready);

function answer({ answer, schema }: ToSchemaThread): SchemaReply {
  try {
    const complaint = answer === null ? check.refusal(schema) : check.complaint(schema, answer);
    return { kind: "checked", complaint };
  } catch (cause) {
    return { kind: "uncheckable", why: wordsOf(cause) };
  }
}
