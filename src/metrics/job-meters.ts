import { Counter, Histogram, type Registry } from "prom-client";
import type { Ending, Job } from "../job.ts";
import type { EndedWaiting } from "../queue/queue-options.ts";
import type { ModelLabels } from "./model-labels.ts";

/** From what nobody notices to what only a batch waits. */
const waitBucketsS = [0.05, 0.2, 1, 5, 15, 60, 300, 1_800, 7_200];

/** From a model that swaps to memory to the fastest of small ones. */
const speedBuckets = [2, 5, 10, 20, 35, 50, 75, 100, 150, 250, 500];

/** A run that came to the end of its job. Durations in ms. */
type EndedRun = {
  readonly job: Pick<Job, "class" | "model">;
  readonly ending: Ending;
  /** From joining the queue to being sent, the last time. */
  readonly waitedMs: number;
  readonly ranMs: number;
  readonly loadMs: number;
  /** From being sent to the first byte of a streamed answer; null for others. */
  readonly firstByteMs: number | null;
  /** What writing the answer took, without loading and reading the prompt; null: not known. */
  readonly generationMs: number | null;
};

/** What becomes of jobs. */
export class JobMeters {
  readonly #models: ModelLabels;
  readonly #ended: Counter<"class" | "state" | "reason">;
  readonly #wait: Histogram<"class" | "model">;
  readonly #firstByte: Histogram<"class" | "model">;
  readonly #gpu: Counter<"class" | "model">;
  readonly #tokens: Counter<"model" | "kind">;
  readonly #speed: Histogram<"model">;

  constructor(registry: Registry, models: ModelLabels) {
    this.#models = models;
    const registers = [registry];
    const labelNames = ["class", "model"] as const;
    this.#ended = new Counter({
      name: "foreman_jobs_total",
      help: "Jobs that ended; reason is none for those that are done",
      labelNames: ["class", "state", "reason"],
      registers,
    });
    this.#wait = new Histogram({
      name: "foreman_job_wait_seconds",
      help: "From joining the queue to being sent to the target",
      buckets: waitBucketsS,
      ...{ labelNames, registers },
    });
    this.#firstByte = new Histogram({
      name: "foreman_job_ttft_seconds",
      help: "From joining the queue to the first byte of a streamed answer",
      buckets: waitBucketsS,
      ...{ labelNames, registers },
    });
    this.#gpu = new Counter({
      name: "foreman_job_gpu_seconds_total",
      help: "Time that jobs held the target, without loading",
      ...{ labelNames, registers },
    });
    this.#tokens = new Counter({
      name: "foreman_tokens_total",
      help: "Tokens as the target counted them; kind is prompt or completion",
      labelNames: ["model", "kind"],
      registers,
    });
    this.#speed = new Histogram({
      name: "foreman_tokens_per_second",
      help: "Completion tokens by second of writing, of answers whose target told their count",
      buckets: speedBuckets,
      labelNames: ["model"],
      registers,
    });
  }

  /** A job ended, without ever having run, or after its last run; see `noteRun`. */
  noteEnd(job: Pick<Job, "class">, { reason, state }: EndedWaiting): void {
    this.#ended.inc({ class: job.class, state, reason: reason ?? "none" });
  }

  /** A run was the last of its job. */
  noteRun({ ending, job, ranMs, ...times }: EndedRun): void {
    this.noteEnd(job, ending);
    const model = this.#models.of(job.model);
    const labels = { class: job.class, model };
    this.#wait.observe(labels, times.waitedMs / 1_000);
    this.#gpu.inc(labels, Math.max(0, ranMs - times.loadMs) / 1_000);
    if (times.firstByteMs !== null) {
      this.#firstByte.observe(labels, (times.waitedMs + times.firstByteMs) / 1_000);
    }
    const { completionTokens, promptTokens } = ending;
    if (promptTokens !== null) this.#tokens.inc({ model, kind: "prompt" }, promptTokens);
    if (completionTokens === null) return;
    this.#tokens.inc({ model, kind: "completion" }, completionTokens);
    if (!times.generationMs || completionTokens === 0) return;
    this.#speed.observe({ model }, completionTokens / (times.generationMs / 1_000));
  }
}
