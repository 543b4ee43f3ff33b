// Watches the batches of one world on its disk: see docs/simulation.md.
import type { VerbAnswer, WriteVerb } from "../../src/store/sqlite/verb.ts";
import type { SimDisk, SimItem } from "./sim-disk.ts";

type BatchRefereeDeps = {
  readonly disk: SimDisk;
  readonly violated: (what: string) => void;
};

/** So many items of a lane are given out at once: `windowMax` of BatchRunner. */
const windowMax = 32;

export class BatchReferee {
  readonly #deps: BatchRefereeDeps;
  /** Items that have ended, and how. */
  readonly #ended = new Map<string, string>();

  constructor(deps: BatchRefereeDeps) {
    this.#deps = deps;
  }

  /** A verb was committed. */
  applied(verb: WriteVerb, answer: VerbAnswer): void {
    if (verb.kind === "retryItems") {
      for (const itemNo of answer as readonly number[]) {
        this.#ended.delete(keyOf({ batch: verb.batch, itemNo }));
      }
    }
    if (verb.kind !== "endItem" || answer !== "ended") return;
    const before = this.#ended.get(keyOf(verb.item));
    const name = this.#deps.disk.requestIdOf(verb.item);
    if (before !== undefined) this.#deps.violated(`I2 ${name} ends twice: it was ${before}`);
    this.#ended.set(keyOf(verb.item), verb.end.status);
  }

  /** Holds the items against their batches' counters, their last state, and the window. */
  look(): void {
    const { disk, violated } = this.#deps;
    const { items } = disk;
    const ofBatch = Map.groupBy(items, ({ batch }) => batch);
    const given = new Map<string, number>();
    for (const batch of disk.batches) {
      const own = ofBatch.get(batch.seq) ?? [];
      const count = (status: SimItem["status"]) =>
        own.filter((item) => item.status === status).length;
      const isExact =
        count("queued") === batch.queuedCount &&
        count("running") === batch.runningCount &&
        count("completed") === batch.completedCount &&
        count("failed") === batch.failedCount &&
        count("cancelled") === batch.cancelledCount;
      if (!isExact) violated(`B1 batch ${batch.seq}: its counters are not those of its items`);
      const lane = [batch.client, batch.provider, batch.model].join();
      const inQueue = own.filter(({ queueJob, status }) => queueJob !== null && isOpen(status));
      given.set(lane, (given.get(lane) ?? 0) + inQueue.length);
    }
    for (const [lane, count] of given) {
      if (count > windowMax) violated(`B3 ${count} items of ${lane} are given out at once`);
    }
    for (const item of items) this.#lookAt(item);
  }

  #lookAt(item: SimItem): void {
    const { name, status } = item;
    const before = this.#ended.get(keyOf(item));
    if (before !== undefined && before !== status) {
      this.#deps.violated(`I2 ${name}: it was ${before}, and is ${status}`);
    }
    if (!isOpen(status)) this.#ended.set(keyOf(item), status);
  }
}

function isOpen(status: SimItem["status"]): boolean {
  return status === "queued" || status === "running";
}

function keyOf({ batch, itemNo }: Pick<SimItem, "batch" | "itemNo">): string {
  return `${batch}.${itemNo}`;
}
