import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import type { IngestLimits, ToIngest } from "./ingest-message.ts";
import { IngestUploads } from "./ingest-uploads.ts";

// The thread that reads batches: 200 MB of JSON would keep the main thread from its streams.

const limits: IngestLimits = workerData;
assert(parentPort !== null, "runs as a thread of the ingester's");
const port = parentPort;
const uploads = new IngestUploads(limits, (message, transfer) => {
  port.postMessage(message, transfer);
});
port.on("message", (message: ToIngest) => uploads.take(message));
