import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { FromHashThread } from "./hash-message.ts";

// The thread in which a model's file is read and hashed: 20 GB take 10 s and more of one core,
// which streams that pass through the main thread would feel.

const pieceBytes = 4 * 2 ** 20;

assert(parentPort !== null, "runs as a thread");
const port = parentPort;
const tell = (message: FromHashThread) => port.postMessage(message);

const file = openSync(String(workerData), "r");
try {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(pieceBytes);
  let doneBytes = 0;
  for (let bytes = -1; bytes !== 0; ) {
    bytes = readSync(file, piece, 0, pieceBytes, null);
    hash.update(piece.subarray(0, bytes));
    doneBytes += bytes;
    tell({ kind: "progress", doneBytes });
  }
  tell({ kind: "done", sha256: hash.digest("hex") });
} finally {
  closeSync(file);
}
