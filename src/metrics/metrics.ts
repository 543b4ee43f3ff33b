import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";
import type { Inventory } from "../target/inventory.ts";
import { daemonFamilies } from "./daemon-families.ts";
import { registerFamily } from "./family.ts";
import { HttpMeter } from "./http-meter.ts";
import { JobMeters } from "./job-meters.ts";
import { ModelLabels } from "./model-labels.ts";
import type { Reading } from "./reading.ts";
import { workFamilies } from "./work-families.ts";

/** A commit is one sync of the disk: from a good SSD's to a stuck disk's. */
const commitBucketsS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 5];

/** Longer blocks of the event loop than this are what matters; each is looked for so often. */
const loopResolutionMs = 20;

/** Sums that prom-client has as gauges by the names of counters: promtool takes them for faults. */
const misnamed = ["active_resources", "active_handles", "active_requests"].map(
  (name) => `nodejs_${name}_total`,
);

/**
 * What Prometheus is told. Events are counted as they come, once for each job or request and never
 * for a piece of an answer; all else is read when it is asked for.
 */
export class Metrics {
  readonly jobs: JobMeters;
  readonly http: HttpMeter;
  readonly #registry = new Registry();
  readonly #takeOver: readonly ((reading: Reading) => void)[];
  readonly #commit: Histogram;
  readonly #items: Counter<"status">;
  readonly #deliveries: Counter<"outcome">;
  #isProcessWatched = false;

  constructor({ inventory }: { readonly inventory: Pick<Inventory, "find"> }) {
    const models = new ModelLabels(inventory);
    const registers = [this.#registry];
    this.jobs = new JobMeters(this.#registry, models);
    this.http = new HttpMeter(this.#registry);
    this.#takeOver = [...workFamilies, ...daemonFamilies].map((family) =>
      registerFamily(family, this.#registry, models),
    );
    this.#commit = new Histogram({
      name: "foreman_store_commit_seconds",
      help: "What the database takes to write a group of changes to the disk",
      buckets: commitBucketsS,
      registers,
    });
    this.#items = new Counter({
      name: "foreman_batch_items_total",
      help: "Items of batches that ended",
      labelNames: ["status"],
      registers,
    });
    this.#deliveries = new Counter({
      name: "foreman_webhook_deliveries_total",
      help: "Tries to deliver a message to a webhook",
      labelNames: ["outcome"],
      registers,
    });
  }

  /** A group of changes was committed. */
  noteCommit(tookMs: number): void {
    this.#commit.observe(tookMs / 1_000);
  }

  noteItems(status: "completed" | "failed" | "cancelled", count: number): void {
    this.#items.inc({ status }, count);
  }

  noteDelivery(outcome: "received" | "gone" | "failed" | "cut"): void {
    this.#deliveries.inc({ outcome });
  }

  /** The answer to a scrape. Process and event loop are watched from the first one on. */
  async tell(reading: Reading): Promise<string> {
    if (!this.#isProcessWatched) {
      this.#isProcessWatched = true;
      const eventLoopMonitoringPrecision = loopResolutionMs;
      collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision });
      for (const name of misnamed) this.#registry.removeSingleMetric(name);
    }
    for (const takeOver of this.#takeOver) takeOver(reading);
    return await this.#registry.metrics();
  }
}
