import { Counter, Gauge, type Registry } from "prom-client";
import type { ModelLabels } from "./model-labels.ts";
import type { Reading } from "./reading.ts";

export type Sample = { readonly value: number; readonly labels?: Readonly<Record<string, string>> };

/** A metric whose value stands somewhere else, and is taken over at each scrape. */
export type Family = {
  readonly kind: "gauge" | "counter";
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** What becomes of several samples of the same labels; they are added if nothing is said. */
  readonly join?: (one: number, other: number) => number;
  readonly read: (reading: Reading, models: ModelLabels) => readonly Sample[];
};

/**
 * Registers a family. Answers what takes a reading over: in one synchronous piece, so that scrapes
 * at the same time see whole readings.
 */
export function registerFamily(
  { help, join = add, kind, labelNames = [], name, read }: Family,
  registry: Registry,
  models: ModelLabels,
): (reading: Reading) => void {
  const options = { name, help, labelNames, registers: [registry] };
  const metric = kind === "gauge" ? new Gauge(options) : new Counter(options);
  return (reading) => {
    metric.reset();
    // After a reset a metric without labels reads 0; what is not known shall not be told as that.
    const joined = new Map<string, Sample>();
    for (const { labels = {}, value } of read(reading, models)) {
      const key = JSON.stringify(labels);
      const known = joined.get(key)?.value;
      joined.set(key, { labels, value: known === undefined ? value : join(known, value) });
    }
    if (joined.size === 0 && labelNames.length === 0) metric.remove();
    for (const { labels = {}, value } of joined.values()) metric.inc(labels, value);
  };
}

function add(one: number, other: number): number {
  return one + other;
}
