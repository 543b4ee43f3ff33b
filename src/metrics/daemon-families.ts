import type { Family } from "./family.ts";
import type { Backlog } from "./reading.ts";

/** The target, the store, and whatever else foreman keeps. */
export const daemonFamilies: readonly Family[] = [
  {
    kind: "gauge",
    name: "foreman_build_info",
    help: "Always 1; the label is foreman's version",
    labelNames: ["version"],
    read: ({ version }) => [{ labels: { version }, value: 1 }],
  },
  {
    kind: "gauge",
    name: "foreman_draining",
    help: "1 while nothing new is taken, because foreman stops or an operator drains it",
    read: ({ isDraining }) => [{ value: Number(isDraining) }],
  },
  {
    kind: "gauge",
    name: "foreman_target_up",
    help: "1 while the target is there and work is let through to it",
    read: ({ target }) => [{ value: Number(target.presence === "present") }],
  },
  {
    kind: "gauge",
    name: "foreman_target_info",
    help: "Always 1; the label is the target's version",
    labelNames: ["version"],
    read: ({ target: { version } }) =>
      version === null ? [] : [{ labels: { version }, value: 1 }],
  },
  {
    kind: "gauge",
    name: "foreman_target_models",
    help: "Models that the target lists",
    read: ({ target }) => [{ value: target.modelCount }],
  },
  {
    kind: "gauge",
    name: "foreman_target_vram_bytes",
    help: "GPU memory of each model that is loaded",
    labelNames: ["model"],
    read: ({ target }, models) =>
      target.loaded.map(({ name, size_vram: value }) => ({
        labels: { model: models.of(name) },
        value,
      })),
  },
  {
    kind: "gauge",
    name: "foreman_embeddings_running",
    help: "Embeddings at the target",
    read: ({ embeddings }) => [{ value: embeddings.running }],
  },
  {
    kind: "gauge",
    name: "foreman_embeddings_waiting",
    help: "Embeddings that wait because FOREMAN_EMBED_CONCURRENCY are at the target",
    read: ({ embeddings }) => [{ value: embeddings.waiting }],
  },
  {
    kind: "gauge",
    name: "foreman_store_up",
    help: "1 while the database can be written and its disk has room",
    read: ({ store }) => [{ value: Number(store.problem === null) }],
  },
  {
    kind: "gauge",
    name: "foreman_store_free_bytes",
    help: "Free space on the database's disk",
    read: ({ store }) => known(store.freeBytes),
  },
  {
    kind: "gauge",
    name: "foreman_store_wal_bytes",
    help: "Size of the database's log of commits",
    read: ({ store }) => known(store.logBytes),
  },
  {
    kind: "gauge",
    name: "foreman_batches_open",
    help: "Batches with items that have not ended",
    read: ({ batches }) => [{ value: batches.open }],
  },
  {
    kind: "gauge",
    name: "foreman_batch_items_under_way",
    help: "Items of batches that were given out and have not ended",
    read: ({ batches }) => [{ value: batches.underWay }],
  },
  {
    kind: "gauge",
    name: "foreman_batch_items_unfed",
    help: "Items of batches that wait in the store, beside the jobs that wait in the queue",
    read: ({ batches }) => [{ value: batches.unfed }],
  },
  {
    kind: "gauge",
    name: "foreman_provider_online",
    help: "1 while a provider of the runtime-LLM API is online",
    labelNames: ["provider"],
    read: ({ providers }) =>
      providers.map(({ id, status }) => ({
        labels: { provider: id },
        value: Number(status === "online"),
      })),
  },
  {
    kind: "gauge",
    name: "foreman_webhooks_left",
    help: "Messages that are still to be delivered to webhooks",
    read: ({ webhooks }) => known(webhooks?.left ?? null),
  },
  {
    kind: "gauge",
    name: "foreman_webhooks_oldest_seconds",
    help: "The age of the oldest of them; 0 if there is none",
    read: ({ atMs, webhooks }) =>
      webhooks === null ? [] : [{ value: ageMs(webhooks, atMs) / 1_000 }],
  },
  {
    kind: "gauge",
    name: "foreman_webhook_receivers_failing",
    help: "Receivers whose last delivery failed",
    read: ({ webhooks }) => known(webhooks?.failingCount ?? null),
  },
];

function known(value: number | null) {
  return value === null ? [] : [{ value }];
}

function ageMs({ oldestAtMs }: Pick<Backlog, "oldestAtMs">, atMs: number): number {
  return oldestAtMs === null ? 0 : Math.max(0, atMs - oldestAtMs);
}
