import type { Clock } from "../../clock.ts";
import type { Ending, Job, JobId, JobState, Transition } from "../../job.ts";
import type { BatchStore } from "../batch-store.ts";
import type { Outbox } from "../outbox.ts";
import type {
  Answer,
  Heartbeat,
  Insertion,
  InsertOptions,
  Lane,
  Page,
  PutBack,
  Recovery,
  StoredJob,
} from "../store.ts";
import type { StoreUpkeep } from "../store-upkeep.ts";
import type { CancelledSlice, WaitingSlice } from "../waiting-slice.ts";
import type { StoreListener, WholeStore } from "../whole-store.ts";
import { SqliteBatches } from "./sqlite-batches.ts";
import { SqliteOutbox } from "./sqlite-outbox.ts";
import type { SqliteUpkeep } from "./sqlite-upkeep.ts";
import type { ThreadClient } from "./thread-client.ts";
import type { ReadVerb, WriteVerb } from "./verb.ts";

type Deps = {
  readonly writer: ThreadClient<WriteVerb>;
  readonly reader: ThreadClient<ReadVerb>;
  readonly clock: Clock;
  readonly upkeep: SqliteUpkeep;
};

/** The main thread's end of the database, which lives in threads of its own. */
export class SqliteStore implements WholeStore {
  readonly batches: BatchStore;
  readonly outbox: Outbox;
  readonly #writer: ThreadClient<WriteVerb>;
  readonly #reader: ThreadClient<ReadVerb>;
  readonly #clock: Clock;
  readonly #upkeep: SqliteUpkeep;
  #onTransition: (id: JobId) => void = () => {};

  constructor(deps: Deps) {
    this.outbox = new SqliteOutbox(deps);
    this.#writer = deps.writer;
    this.#reader = deps.reader;
    this.#clock = deps.clock;
    this.#upkeep = deps.upkeep;
    this.batches = new SqliteBatches(deps);
  }

  /** Tells one listener, in the place of the one before, from now on. */
  listen({ onTransition, onCommit }: StoreListener): void {
    this.#onTransition = onTransition;
    this.#writer.onGroup = onCommit;
  }

  /** What its files need. */
  get upkeep(): StoreUpkeep {
    return this.#upkeep;
  }

  async insertJob(
    job: Job,
    body: Uint8Array | null,
    { forItem, idempotencyKey = null, webhookUrl = null }: InsertOptions = {},
  ): Promise<Insertion> {
    const own = body === null ? null : new Uint8Array(body);
    const verb = { kind: "insertJob", job: plain(job), body: own } as const;
    const insertion = await this.#writer.ask(
      { ...verb, idempotencyKey, webhookUrl, forItem: forItem ?? null },
      own?.buffer,
    );
    if (insertion.kind === "inserted") this.#onTransition(job.id);
    return insertion;
  }

  claim(id: JobId, attempt: number, atMs: number): Promise<"claimed" | "lost"> {
    return this.#told(id, this.#writer.ask({ kind: "claim", id, attempt, atMs }));
  }

  markWorking(id: JobId, attempt: number, atMs: number): Promise<"marked" | "stale"> {
    return this.#told(id, this.#writer.ask({ kind: "markWorking", id, attempt, atMs }));
  }

  settle(
    id: JobId,
    attempt: number,
    ending: Ending,
    atMs: number,
    answer: Answer | null = null,
  ): Promise<"settled" | "stale"> {
    const own = answer === null ? null : { ...answer, body: new Uint8Array(answer.body) };
    const verb = { kind: "settle", id, attempt, ending, atMs, answer: own } as const;
    return this.#told(id, this.#writer.ask(verb, own?.body.buffer));
  }

  putBack(
    id: JobId,
    attempt: number,
    putBack: PutBack,
    atMs: number,
    notBeforeMs: number | null = null,
  ): Promise<"queued" | "stale"> {
    const verb = { kind: "putBack", id, attempt, putBack, atMs, notBeforeMs } as const;
    return this.#told(id, this.#writer.ask(verb));
  }

  endWaiting(id: JobId, ending: Ending, atMs: number): Promise<"ended" | "lost"> {
    return this.#told(id, this.#writer.ask({ kind: "endWaiting", id, ending, atMs }));
  }

  async cancelWaiting(slice: WaitingSlice, ending: Ending, atMs: number): Promise<CancelledSlice> {
    const cancelled = await this.#writer.ask({ kind: "cancelWaiting", slice, ending, atMs });
    for (const { id } of cancelled.jobs) this.#onTransition(id);
    return cancelled;
  }

  recoverInterrupted(atMs: number): Promise<Recovery> {
    return this.#writer.ask({ kind: "recoverInterrupted", atMs });
  }

  job(id: JobId): Promise<StoredJob | null> {
    return this.#writer.ask({ kind: "job", id });
  }

  body(id: JobId): Promise<Uint8Array | null> {
    return this.#writer.ask({ kind: "body", id });
  }

  waitingIn(lane: Lane, afterArrival: number, limit: number): Promise<readonly StoredJob[]> {
    return this.#writer.ask({ kind: "waitingIn", lane, afterArrival, limit });
  }

  answer(id: JobId): Promise<Answer | null> {
    return this.#reader.ask({ kind: "answer", id });
  }

  transitions(id: JobId, after: number): Promise<readonly Transition[]> {
    return this.#reader.ask({ kind: "transitions", id, after });
  }

  page(page: Page): Promise<readonly StoredJob[]> {
    return this.#reader.ask({ kind: "page", page });
  }

  position({ arrival, ...job }: Lane & { readonly arrival: number }): Promise<number> {
    const lane = { class: job.class, loadKey: job.loadKey, client: job.client };
    return this.#reader.ask({ kind: "position", lane, arrival });
  }

  newestArrival(): Promise<number> {
    return this.#writer.ask({ kind: "newestArrival" });
  }

  lanes(): Promise<readonly (Lane & { readonly depth: number })[]> {
    return this.#writer.ask({ kind: "lanes" });
  }

  countByState(): Promise<Readonly<Record<JobState, number>>> {
    return this.#reader.ask({ kind: "countByState" });
  }

  prune(endedBeforeMs: number, limit: number): Promise<number> {
    return this.#writer.ask({ kind: "prune", endedBeforeMs, limit });
  }

  remember(name: string, document: Uint8Array): Promise<void> {
    const bytes = new Uint8Array(document);
    return this.#writer.ask({ kind: "remember", name, bytes }, bytes.buffer);
  }

  recall(name: string): Promise<Uint8Array | null> {
    return this.#writer.ask({ kind: "recall", name });
  }

  async heartbeat(): Promise<Heartbeat> {
    const startedMs = this.#clock.monotonicMs();
    const found = await this.#writer.ask({ kind: "heartbeat" });
    return { ...found, commitMs: this.#clock.monotonicMs() - startedMs };
  }

  async #told<Word extends string>(id: JobId, asked: Promise<Word>): Promise<Word> {
    const word = await asked;
    if (word !== "lost" && word !== "stale") this.#onTransition(id);
    return word;
  }

  /** Readers go first: one that is open would keep the writer from emptying the log. */
  async close(): Promise<void> {
    await Promise.all([this.#upkeep.stop(), this.#reader.close()]);
    await this.#writer.close();
  }
}

/** The job's facts alone: whatever else the caller's object carries need not be cloneable. */
function plain(job: Job): Job {
  return {
    id: job.id,
    class: job.class,
    client: job.client,
    route: job.route,
    model: job.model,
    loadKey: job.loadKey,
    isDurable: job.isDurable,
    bodyBytes: job.bodyBytes,
    bodyHash: job.bodyHash,
    enqueuedAtMs: job.enqueuedAtMs,
  };
}
