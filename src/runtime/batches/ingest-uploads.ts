import { inspect } from "node:util";
import type { FromIngest, IngestLimits, ToIngest } from "./ingest-message.ts";
import { BatchReader } from "./read-batch.ts";

type Tell = (message: FromIngest, transfer?: ArrayBuffer[]) => void;

/** Reads uploads, each by itself, as their bytes come, and tells what it finds in them. */
export class IngestUploads {
  readonly #limits: IngestLimits;
  readonly #tell: Tell;
  readonly #readers = new Map<number, BatchReader>();
  /** Uploads that have had their last word; what still comes of them is passed over. */
  readonly #over = new Set<number>();

  /** `transfer`: memory of the message's that is given away with it. */
  constructor(limits: IngestLimits, tell: Tell) {
    this.#limits = limits;
    this.#tell = tell;
  }

  /** What is wrong with one upload is told of that one: the others go on. */
  take(message: ToIngest): void {
    try {
      this.#take(message);
    } catch (cause) {
      const { upload } = message;
      this.#over.add(upload);
      this.#tell({ kind: "failed", upload, cause: inspect(cause) });
    }
  }

  #take(message: ToIngest): void {
    const { upload } = message;
    if (message.kind !== "forget" && this.#over.has(upload)) return;
    switch (message.kind) {
      case "bytes": {
        const reader = this.#readers.get(upload) ?? this.#begin(upload);
        reader.write(message.chunk);
        this.#tell({ kind: "taken", upload, bytes: message.chunk.length });
        if (reader.isHopeless) this.#end(upload, reader);
        break;
      }
      case "end":
        this.#end(upload, this.#readers.get(upload) ?? this.#begin(upload));
        break;
      case "forget":
        this.#readers.delete(upload);
        this.#over.delete(upload);
        break;
      default:
        message satisfies never;
    }
  }

  #begin(upload: number): BatchReader {
    const reader = new BatchReader({
      ...this.#limits,
      onItems: (items) => {
        const { buffer } = items.requests;
        const transfer = buffer instanceof ArrayBuffer ? [buffer] : [];
        this.#tell({ kind: "items", upload, items }, transfer);
      },
    });
    this.#readers.set(upload, reader);
    return reader;
  }

  #end(upload: number, reader: BatchReader): void {
    this.#over.add(upload);
    this.#tell({ kind: "reading", upload, reading: reader.end() });
  }
}
