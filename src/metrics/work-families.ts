import type { JobClass } from "../job.ts";
import type { Family, Sample } from "./family.ts";
import type { ModelLabels } from "./model-labels.ts";

/** What waits, what runs, and what swapping models costs. */
export const workFamilies: readonly Family[] = [
  {
    kind: "gauge",
    name: "foreman_queue_depth",
    help: "Jobs that wait, in memory and in the store",
    labelNames: ["class", "model"],
    read: ({ work }, models) => work.waiting.map((lane) => sample(lane, models, lane.depth)),
  },
  {
    kind: "gauge",
    name: "foreman_queue_oldest_wait_seconds",
    help: "How long the first in line has waited, since the start of this daemon at most",
    labelNames: ["class", "model"],
    join: Math.max,
    read: ({ work }, models) =>
      work.waiting.map((lane) => sample(lane, models, lane.oldestWaitMs / 1_000)),
  },
  {
    kind: "gauge",
    name: "foreman_queue_full",
    help: "1 while FOREMAN_QUEUE_MAX clients wait and others are turned away",
    read: ({ work }) => [{ value: Number(work.isFull) }],
  },
  {
    kind: "gauge",
    name: "foreman_paused_seconds",
    help: "How long operators have held this work back; no series where they do not",
    labelNames: ["class", "model"],
    join: Math.max,
    read: ({ paused }, models) =>
      paused.map(({ ageMs, class: of, model }) => ({
        labels: { class: of ?? "all", model: model === null ? "all" : models.of(model) },
        value: ageMs / 1_000,
      })),
  },
  {
    kind: "gauge",
    name: "foreman_running",
    help: "Jobs at the target",
    labelNames: ["class", "model"],
    read: ({ work }, models) => work.running.map((job) => sample(job, models, 1)),
  },
  {
    kind: "gauge",
    name: "foreman_slots",
    help: "How many generations may run at once: FOREMAN_CHAT_SLOTS",
    read: ({ work }) => [{ value: work.slots }],
  },
  {
    kind: "counter",
    name: "foreman_busy_seconds_total",
    help: "Time in which at least one job was at the target: its rate is the GPU's busy share",
    read: ({ work }) => [{ value: work.busyMs / 1_000 }],
  },
  {
    kind: "counter",
    name: "foreman_runs_total",
    help: "Runs of jobs that ended or were put back",
    read: ({ work }) => [{ value: work.runCount }],
  },
  {
    kind: "counter",
    name: "foreman_swaps_total",
    help: "Runs that had their model loaded first",
    read: ({ work }) => [{ value: work.loads.count }],
  },
  {
    kind: "counter",
    name: "foreman_load_seconds_total",
    help: "Time lost to loading models, so far as the target told it",
    read: ({ work }) => [{ value: work.loads.totalMs / 1_000 }],
  },
  {
    kind: "counter",
    name: "foreman_loads_untold_total",
    help: "Loads whose time the target did not tell, as on its /v1 routes",
    read: ({ work }) => [{ value: work.loads.untoldCount }],
  },
  {
    kind: "gauge",
    name: "foreman_model_load_seconds",
    help: "How long a model takes to load, as measured; with the options that take longest",
    labelNames: ["model"],
    join: Math.max,
    read: ({ work }, models) =>
      work.loadMs.map(({ model, ms }) => ({
        labels: { model: models.of(model) },
        value: ms / 1_000,
      })),
  },
  {
    kind: "gauge",
    name: "foreman_worker_up",
    help: "0 while work waits that might run, and nothing lets it through",
    read: ({ work }) => [{ value: Number(work.problem === null) }],
  },
];

type ClassAndModel = { readonly class: JobClass; readonly model: string };

function sample(
  { class: jobClass, model }: ClassAndModel,
  models: ModelLabels,
  value: number,
): Sample {
  return { labels: { class: jobClass, model: models.of(model) }, value };
}
