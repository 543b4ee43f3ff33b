import type { Reading } from "../history/history.ts";
import type { Queue } from "../queue/queue.ts";
import type { Inventory } from "../target/inventory.ts";
import type { Dispatcher } from "./dispatcher.ts";

type HistorySources = {
  readonly dispatcher: Dispatcher;
  readonly queue: Queue;
  readonly inventory: Inventory;
};

/** What the history counts, as it stands now; `busyMs` and `swaps` since foreman started. */
export function readHistory(sources: HistorySources): Omit<Reading, "unfed"> {
  const { dispatcher, inventory, queue } = sources;
  const { busyMs, measures, running } = dispatcher.view;
  return {
    busyMs,
    swaps: measures.loadLog.totals.count,
    queued: queue.depth,
    running: running.length,
    residents: measures.residents.runnerKeys(inventory.loaded, inventory.loadedReadings),
  };
}
