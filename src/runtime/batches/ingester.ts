import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "../../clock.ts";
import { ForemanError } from "../../errors.ts";
import type { PackedItems } from "../../store/batch-store.ts";
import type { FromIngest, IngestLimits, ToIngest } from "./ingest-message.ts";
import type { BatchReading } from "./read-batch.ts";

const script = new URL("./ingest-thread.ts", import.meta.url);

/** So much of an upload is on its way to the thread, or to the disk, at any time. */
const unreadBytesMax = 4 * 2 ** 20;
const unwrittenPacksMax = 4;

/** Uploads at once; each may hold what stands above. */
const uploadsMax = 8;

/** The thread costs some 30 MB, and a tenth of a second to begin. */
const idleMsMax = 60_000;

/** Where uploads are read. */
type IngestThread = {
  postMessage(message: ToIngest): void;
  /** Nobody listens to it any more. */
  terminate(): Promise<unknown>;
};

export type StartIngest = (
  limits: IngestLimits,
  told: {
    readonly onMessage: (message: FromIngest) => void;
    /** It has ended. */
    readonly onError: (cause: unknown) => void;
  },
) => IngestThread;

type IngesterOptions = {
  readonly limits: IngestLimits;
  readonly clock: Clock;
  /** Begins what reads; a thread if absent. */
  readonly startIngest?: StartIngest | undefined;
};

type Upload = {
  readonly onItems: (items: PackedItems) => Promise<void>;
  readonly reading: PromiseWithResolvers<BatchReading>;
  unreadBytes: number;
  unwrittenPacks: number;
  /** Called, once each, when something was read or written. */
  readonly waiting: (() => void)[];
};

/** Reads batches in a thread of its own, which is there only while somebody submits any. */
export class Ingester {
  readonly #options: IngesterOptions;
  readonly #uploads = new Map<number, Upload>();
  #worker: IngestThread | null = null;
  #idleTimer: Timer | null = null;
  #lastUpload = 0;

  constructor(options: IngesterOptions) {
    this.#options = options;
  }

  /**
   * Reads one batch. `onItems` is given its items in packs, in order, and slows the upload down by
   * the time that it takes. Ends before the body does when too much is wrong with it.
   *
   * @throws ForemanError `queue_full` when too many are being read; else what `onItems` or the body
   * failed with
   */
  async read(
    body: AsyncIterable<Buffer>,
    onItems: (items: PackedItems) => Promise<void>,
  ): Promise<BatchReading> {
    if (this.#uploads.size >= uploadsMax) {
      const message = `${uploadsMax} batches are being submitted; try again in a moment`;
      throw new ForemanError("queue_full", message, { retryAfterS: 5 });
    }
    this.#idleTimer?.cancel();
    this.#lastUpload += 1;
    const number = this.#lastUpload;
    const reading = Promise.withResolvers<BatchReading>();
    const counts = { unreadBytes: 0, unwrittenPacks: 0 };
    const upload: Upload = { onItems, reading, ...counts, waiting: [] };
    this.#uploads.set(number, upload);
    try {
      await Promise.race([reading.promise, this.#send(number, upload, body)]);
      const read = await reading.promise;
      while (upload.unwrittenPacks > 0) await proceeding(upload);
      return read;
    } finally {
      this.#uploads.delete(number);
      proceed(upload);
      this.#post({ kind: "forget", upload: number });
      if (this.#uploads.size === 0) this.#restLater();
    }
  }

  async stop(): Promise<void> {
    this.#idleTimer?.cancel();
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  async #send(number: number, upload: Upload, body: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of body) {
      if (!this.#uploads.has(number)) return;
      upload.unreadBytes += chunk.length;
      this.#post({ kind: "bytes", upload: number, chunk });
      while (isBehind(upload) && this.#uploads.has(number)) await proceeding(upload);
    }
    this.#post({ kind: "end", upload: number });
  }

  #post(message: ToIngest): void {
    this.#thread().postMessage(message);
  }

  #thread(): IngestThread {
    if (this.#worker !== null) return this.#worker;
    const { limits, startIngest = startThread } = this.#options;
    const worker = startIngest(limits, {
      onMessage: (message) => this.#receive(message),
      onError: (cause) => this.#fail(worker, cause),
    });
    this.#worker = worker;
    return worker;
  }

  #receive(message: FromIngest): void {
    const upload = this.#uploads.get(message.upload);
    if (upload === undefined) return;
    switch (message.kind) {
      case "taken":
        upload.unreadBytes -= message.bytes;
        proceed(upload);
        break;
      case "items":
        void this.#write(upload, message.items);
        break;
      case "reading":
        upload.reading.resolve(message.reading);
        break;
      case "failed":
        upload.reading.reject(unread(message.cause));
        break;
      default:
        message satisfies never;
    }
  }

  async #write(upload: Upload, items: PackedItems): Promise<void> {
    upload.unwrittenPacks += 1;
    try {
      await upload.onItems(items);
    } catch (cause) {
      upload.reading.reject(cause);
    } finally {
      upload.unwrittenPacks -= 1;
      proceed(upload);
    }
  }

  /** The next upload begins a new thread. */
  #fail(worker: IngestThread, cause: unknown): void {
    if (this.#worker === worker) this.#worker = null;
    for (const { reading } of this.#uploads.values()) reading.reject(unread(cause));
  }

  #restLater(): void {
    this.#idleTimer?.cancel();
    this.#idleTimer = this.#options.clock.after(idleMsMax, () => {
      if (this.#uploads.size === 0) void this.stop();
    });
  }
}

function startThread(...[limits, { onError, onMessage }]: Parameters<StartIngest>): Worker {
  const worker = new Worker(script, { workerData: limits });
  worker.on("message", onMessage);
  worker.on("error", onError);
  worker.unref();
  return worker;
}

function unread(cause: unknown): ForemanError {
  return new ForemanError("internal", "the batch could not be read", { cause });
}

function isBehind({ unreadBytes, unwrittenPacks }: Upload): boolean {
  return unreadBytes > unreadBytesMax || unwrittenPacks > unwrittenPacksMax;
}

function proceeding({ waiting }: Upload): Promise<void> {
  return new Promise((resolve) => waiting.push(resolve));
}

function proceed({ waiting }: Upload): void {
  for (const resolve of waiting.splice(0)) resolve();
}
