import type { OpenItem, StoredBatch } from "../../store/batch-store.ts";

type UnderWay = { readonly abort: () => void; readonly over: Promise<void> };

/** A batch that has items which have not ended, as the runner knows it. */
export class ActiveBatch {
  readonly batch: StoredBatch;
  /** The number of the last item that was given to somebody; those behind it wait in the store. */
  fedThrough = 0;
  /** Whether the store may have more items that wait. */
  hasMore = true;
  isCancelled: boolean;
  readonly #underWay = new Map<number, UnderWay>();

  constructor(batch: StoredBatch) {
    this.batch = batch;
    this.isCancelled = batch.status === "cancelled";
  }

  /** Items that were given to somebody and have not ended. */
  get underWay(): number {
    return this.#underWay.size;
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

  /** Runs an item; `run` ends, and never rejects, when the item has ended or its signal aborts. */
  begin({ itemNo }: OpenItem, run: (signal: AbortSignal) => Promise<void>): void {
    const controller = new AbortController();
    const over = run(controller.signal).finally(() => this.#underWay.delete(itemNo));
    this.#underWay.set(itemNo, { abort: () => controller.abort(), over });
  }

  /** Ends what runs outside the queue; resolves when nothing is under way any more. */
  async abort(): Promise<void> {
    const all = [...this.#underWay.values()];
    for (const { abort } of all) abort();
    await Promise.all(all.map(({ over }) => over));
  }

  /** Resolves when nothing that is under way now is any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#underWay.values()].map(({ over }) => over));
  }
}
