import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import type { FromIngest, IngestLimits, ToIngest } from "./ingest-message.ts";
import { BatchReader } from "./read-batch.ts";

// The thread that reads batches: 200 MB of JSON would keep the main thread from its streams.

const limits: IngestLimits = workerData;
assert(parentPort !== null, "runs as a thread of the ingester's");
const port = parentPort;
const readers = new Map<number, BatchReader>();
/** Uploads that have had their last word; what still comes of them is passed over. */
const over = new Set<number>();

port.on("message", (message: ToIngest) => {
  const { upload } = message;
  switch (message.kind) {
    case "bytes": {
      const reader = readers.get(upload) ?? begin(upload);
      reader.write(message.chunk);
      tell({ kind: "taken", upload, bytes: message.chunk.length });
      if (reader.isHopeless) end(upload, reader);
      break;
    }
    case "end":
      end(upload, readers.get(upload) ?? begin(upload));
      break;
    case "forget":
      readers.delete(upload);
      over.delete(upload);
      break;
    default:
      message satisfies never;
  }
});

function begin(upload: number): BatchReader {
  const reader = new BatchReader({
    ...limits,
    onItems: (items) => {
      const { buffer } = items.requests;
      tell({ kind: "items", upload, items }, buffer instanceof ArrayBuffer ? [buffer] : []);
    },
  });
  readers.set(upload, reader);
  return reader;
}

function end(upload: number, reader: BatchReader): void {
  if (over.has(upload)) return;
  over.add(upload);
  tell({ kind: "reading", upload, reading: reader.end() });
}

function tell(message: FromIngest, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
