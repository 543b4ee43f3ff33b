import type { OpenItem, StoredBatch } from "../../store/batch-store.ts";
import type { LeaveItem } from "./run-item.ts";

type UnderWay = { readonly abort: (why: LeaveItem) => void; readonly over: Promise<void> };

/** A batch that has items which have not ended, as the runner knows it. */
export class ActiveBatch {
  readonly batch: StoredBatch;
  /** The number of the last item that was given to somebody; those behind it wait in the store. */
  fedThrough = 0;
  /** Whether the store may have more items that wait. */
  hasMore = true;
  isCancelled: boolean;
  #rewinds = 0;
  #unfed: number;
  readonly #underWay = new Map<number, UnderWay>();

  constructor(batch: StoredBatch) {
    this.batch = batch;
    this.isCancelled = batch.status === "cancelled";
    this.#unfed = batch.queuedCount + batch.runningCount;
  }

  /** So many items wait again that were passed: all that wait are looked through anew. */
  rewind(count: number): void {
    this.#rewinds += 1;
    this.#unfed = this.unfed + count;
    this.fedThrough = 0;
    this.hasMore = true;
  }

  /** How often that was: what was read before the latest time says nothing of what waits now. */
  get rewinds(): number {
    return this.#rewinds;
  }

  /** Items that were given to somebody and have not ended. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /**
   * Items that wait in the store and were given to nobody yet. Counted along, for no look at the
   * store each second; where a retry crosses a feeding it may be too high until all are fed.
   */
  get unfed(): number {
    return this.hasMore ? this.#unfed : 0;
  }

  get isOver(): boolean {
    return !this.hasMore && this.#underWay.size === 0;
  }

  /** Batches whose items are alike to the scheduler are fed one after the other. */
  get lane(): string {
    const { client, model, provider } = this.batch;
    return [client, provider, model].join("\n");
  }

  has({ itemNo }: OpenItem): boolean {
    return this.#underWay.has(itemNo);
  }

  /** Runs an item; `run` never rejects. Resolves when it is over and no longer under way. */
  begin({ itemNo }: OpenItem, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const controller = new AbortController();
    const over = run(controller.signal).finally(() => this.#underWay.delete(itemNo));
    this.#unfed = Math.max(0, this.#unfed - 1);
    this.#underWay.set(itemNo, { abort: (why) => controller.abort(why), over });
    return over;
  }

  /** Has every item left that is under way; resolves when none is any more. */
  async leave(why: LeaveItem): Promise<void> {
    const all = [...this.#underWay.values()];
    for (const { abort } of all) abort(why);
    await Promise.all(all.map(({ over }) => over));
  }
}
