import { IngestUploads } from "../../src/runtime/batches/ingest-uploads.ts";
import type { StartIngest } from "../../src/runtime/batches/ingester.ts";

/** Reads batches in this thread, and tells of it as another one would: a little later. */
export const ingestHere: StartIngest = (limits, { onMessage }) => {
  const uploads = new IngestUploads(limits, (message) => queueMicrotask(() => onMessage(message)));
  const postMessage = (message: Parameters<typeof uploads.take>[0]) => {
    queueMicrotask(() => uploads.take(message));
  };
  return { postMessage, terminate: async () => {} };
};
