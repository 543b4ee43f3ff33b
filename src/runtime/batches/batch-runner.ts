import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import type { JobChanges } from "../../queue/job-changes.ts";
import type { Queue } from "../../queue/queue.ts";
import type { BatchSeq, BatchStore, OpenItem, StoredBatch } from "../../store/batch-store.ts";
import { ActiveBatch } from "./active-batch.ts";
import type { OnItemsEnded } from "./run-item.ts";

/**
 * So many items of a lane are given out at once: more than run, so that no slot waits for the disk,
 * and few enough that a cancel, or a batch of another client, has little before it.
 */
const windowMax = 32;

/** Below so many, more are fetched. */
const windowMin = 16;

/** How soon the store is asked again that could not be read or written: nobody else may ask. */
const againMs = 5_000;

/** Items in one transaction of a cancel or a retry: some milliseconds. */
const itemsAtOnceMax = 2_000;

type RunnerDeps = {
  readonly batches: BatchStore;
  readonly queue: Pick<Queue, "cancels" | "isDraining">;
  readonly changes: JobChanges;
  readonly clock: Clock;
  readonly log: Log;
  readonly onItemsEnded: OnItemsEnded;
  /** Sees an item to its end, or leaves it for a `LeaveItem`; see `runItem`. */
  readonly runItem: (item: OpenItem, batch: StoredBatch, signal: AbortSignal) => Promise<void>;
};

/**
 * Gives the items of batches out, a window at a time: to the queue, where they wait as batch jobs,
 * or to a provider that needs no GPU. Inside a lane the oldest batch goes first.
 */
export class BatchRunner {
  readonly #deps: RunnerDeps;
  readonly #log: Log;
  /** In the order in which they came. */
  readonly #active = new Map<BatchSeq, ActiveBatch>();
  #feeding: Promise<void> | null = null;
  #isAsked = false;
  #isStopped = false;

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
    this.#log = deps.log.child({ component: "batches" });
  }

  /** Batches that are not over, and items of theirs that were given out or wait to be. */
  get counts(): { readonly open: number; readonly underWay: number; readonly unfed: number } {
    const counts = { open: this.#active.size, underWay: 0, unfed: 0 };
    for (const { underWay, unfed } of this.#active.values()) {
      counts.underWay += underWay;
      counts.unfed += unfed;
    }
    return counts;
  }

  /** Goes on where a daemon before this one stopped. After the queue has its jobs back. */
  async start(): Promise<void> {
    const { batches } = this.#deps;
    await batches.recoverItems();
    for (const batch of await batches.openBatches()) {
      const active = this.#activate(batch);
      for (const item of await batches.itemsUnderWay(batch.seq)) this.#begin(active, item);
      if (active.isCancelled) this.#cancelAgain(batch);
    }
    this.#feed();
  }

  /** A batch was opened: its items may be run. */
  take(batch: StoredBatch): void {
    this.#activate(batch);
    this.#feed();
  }

  /**
   * Ends what waits and what runs of a batch. Resolves when all of it has ended; at once for a
   * batch that is over. Rejects as the store does, on a full disk; the rest is then ended as soon
   * as that can be written, for nothing more of the batch is given out.
   */
  async cancel(batch: StoredBatch): Promise<void> {
    const active = this.#active.get(batch.seq);
    if (active === undefined) return;
    active.isCancelled = true;
    this.#deps.log.info({ batchId: batch.id }, "batch cancelled");
    try {
      await this.#cancel(active);
    } catch (cause) {
      this.#deps.clock.after(againMs, () => this.#cancelAgain(batch));
      throw cause;
    }
  }

  #cancelAgain(batch: StoredBatch): void {
    if (this.#isStopped) return;
    this.cancel(batch).catch((cause: unknown) => {
      const facts = { batchId: batch.id, err: cause };
      this.#log.error(facts, "batch not cancelled; tried again in a moment");
    });
  }

  async #cancel(active: ActiveBatch): Promise<void> {
    const { batch } = active;
    const { batches, clock, onItemsEnded, queue } = this.#deps;
    let cancelled = itemsAtOnceMax;
    while (cancelled === itemsAtOnceMax) {
      cancelled = await batches.cancelItems(batch.seq, itemsAtOnceMax, clock.wallMs());
      onItemsEnded("cancelled", cancelled);
    }
    // Not before: a batch of which some items wait is not over.
    active.hasMore = false;
    const inQueue = await batches.itemsUnderWay(batch.seq);
    await queue.cancels.each(inQueue.flatMap(({ queueJob }) => queueJob ?? []));
    await active.leave("cancelled");
    this.#noteEnd(active);
  }

  /**
   * Has the items that failed wait again, each once; answers how many. A kill in the middle leaves
   * the rest failed, for another call. None of a batch that was cancelled.
   */
  async retry(batch: StoredBatch): Promise<number> {
    const { batches, changes, log } = this.#deps;
    let retried: readonly number[] = [];
    let count = 0;
    do {
      retried = await batches.retryItems(batch.seq, retried.at(-1) ?? 0, itemsAtOnceMax);
      count += retried.length;
      if (retried.length > 0) this.#takeAgain(batch, retried.length);
    } while (retried.length === itemsAtOnceMax);
    if (count > 0) log.info({ batchId: batch.id, items: count }, "failed items of a batch retried");
    changes.note(batch.id);
    return count;
  }

  #takeAgain(batch: StoredBatch, count: number): void {
    const active = this.#active.get(batch.seq) ?? this.#activate(batch);
    if (!active.isCancelled) active.rewind(count);
    this.#feed();
  }

  /** Gives nothing more out; what runs outside the queue is cut, and runs in the next life. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#feeding;
    await Promise.all([...this.#active.values()].map((active) => active.leave("stopped")));
  }

  #activate(batch: StoredBatch): ActiveBatch {
    const active = new ActiveBatch(batch);
    this.#active.set(batch.seq, active);
    return active;
  }

  #begin(active: ActiveBatch, item: OpenItem): void {
    if (active.has(item)) return;
    const { batch } = active;
    const over = active.begin(item, (signal) => this.#deps.runItem(item, batch, signal));
    void over.then(() => {
      this.#deps.changes.note(batch.id);
      this.#noteEnd(active);
    });
  }

  #noteEnd(active: ActiveBatch): void {
    if (active.isOver) this.#active.delete(active.batch.seq);
    this.#feed();
  }

  /** Asks for a round of feeding, and begins it unless one is under way. */
  #feed(): void {
    this.#isAsked = true;
    if (this.#isStopped || this.#feeding !== null) return;
    this.#feeding = this.#feedAll()
      .catch((cause: unknown) => {
        this.#log.error({ err: cause }, "items of batches not read; tried again in a moment");
        this.#deps.clock.after(againMs, () => this.#feed());
      })
      .finally(() => {
        this.#feeding = null;
      });
  }

  async #feedAll(): Promise<void> {
    // While foreman goes the queue takes nothing: what waits is for the next life.
    while (this.#isAsked && !this.#isStopped && !this.#deps.queue.isDraining) {
      this.#isAsked = false;
      const fed = new Map<string, number>();
      for (const active of [...this.#active.values()]) {
        const inLane = (fed.get(active.lane) ?? 0) + active.underWay;
        fed.set(active.lane, inLane);
        if (!active.hasMore || inLane >= windowMin) continue;
        fed.set(active.lane, inLane + (await this.#feedOne(active, windowMax - inLane)));
      }
    }
  }

  /** Answers how many items were given out. */
  async #feedOne(active: ActiveBatch, count: number): Promise<number> {
    const { rewinds } = active;
    const { seq } = active.batch;
    const items = await this.#deps.batches.waitingItems(seq, active.fedThrough, count);
    if (active.isCancelled || this.#isStopped || active.rewinds !== rewinds) return 0;
    active.hasMore = items.length === count;
    for (const item of items) {
      active.fedThrough = item.itemNo;
      this.#begin(active, item);
    }
    if (active.isOver) this.#active.delete(seq);
    return items.length;
  }
}
