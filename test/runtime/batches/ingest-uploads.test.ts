import { expect, onTestFinished, test, vi } from "vitest";
import type { FromIngest } from "../../../src/runtime/batches/ingest-message.ts";
import { IngestUploads } from "../../../src/runtime/batches/ingest-uploads.ts";
import { BatchReader } from "../../../src/runtime/batches/read-batch.ts";

const batch = Buffer.from(
  JSON.stringify({
    provider: "ollama",
    model: "llama3.2",
    job_type: "notes",
    items: [{ request_id: "a", messages: [{ role: "user", content: "hello" }] }],
  }),
);

test("a fault in the reading of one upload is told of that one, and the others are read", () => {
  const told: FromIngest[] = [];
  const limits = { itemsMax: 10, itemBytesMax: 10_000 };
  const uploads = new IngestUploads(limits, (message) => told.push(message));
  const write = vi.spyOn(BatchReader.prototype, "write").mockImplementationOnce(() => {
    throw new Error("a fault of ours");
  });
  onTestFinished(() => write.mockRestore());

  for (const upload of [1, 2]) {
    uploads.take({ kind: "bytes", upload, chunk: batch });
    uploads.take({ kind: "end", upload });
  }

  const kinds = (upload: number) =>
    told.filter((message) => message.upload === upload).map(({ kind }) => kind);
  expect(kinds(1)).toEqual(["failed"]);
  expect(told[0]).toMatchObject({ cause: expect.stringContaining("a fault of ours") });
  expect(kinds(2)).toEqual(["taken", "items", "reading"]);
  expect(told.at(-1)).toMatchObject({ reading: { kind: "read" } });
});
