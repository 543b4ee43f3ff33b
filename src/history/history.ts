import { z } from "zod";
import { type Clock, isoTime, type Timer } from "../clock.ts";
import { DocumentKeeper } from "../document-keeper.ts";
import type { Ending, Job, JobId } from "../job.ts";
import type { Memory } from "../kept-document.ts";
import type { Log } from "../log.ts";
import type { HistoryDocument, HistorySample } from "../wire/history.ts";
import type { Status } from "../wire/status.ts";
import { ArrivalOrder } from "./arrival-order.ts";
import { Series } from "./series.ts";
import { type Step, step } from "./step.ts";
import { sumOfWaits, waitQuantile, withWait } from "./wait-buckets.ts";

/** How often what runs and waits is looked at. */
const lookEveryMs = 5_000;

const minuteMs = 60_000;

/** 60 steps of a minute and 144 of ten: at most 100 KB, written once a minute. */
const document = z.object({ hour: z.array(step), day: z.array(step) });

/** What can be counted at a moment; the first two only grow. */
export type Reading = {
  readonly busyMs: number;
  readonly swaps: number;
  readonly queued: number;
  /** Items of batches that have not joined the queue. */
  readonly unfed: number;
  readonly running: number;
  /** The runners that the target holds. */
  readonly residents: Iterable<string>;
};

type HistoryOptions = {
  readonly memory: Memory;
  readonly clock: Clock;
  readonly log: Log;
  readonly read: () => Reading;
  readonly keyOf: (loadKey: string) => string;
};

type EndedRun = {
  readonly job: Job;
  readonly ending: Ending;
  readonly waitedMs: number;
  /** Whether its model was loaded for it. */
  readonly hasLoaded: boolean;
};

/** What the last hour and the last day were like, over restarts. */
export class History {
  readonly #options: HistoryOptions;
  readonly #keeper: DocumentKeeper<typeof document>;
  readonly #hour = new Series({ stepMs: minuteMs, stepsMax: 60 });
  readonly #day = new Series({ stepMs: 10 * minuteMs, stepsMax: 144 });
  readonly #arrivals: ArrivalOrder;
  #counted = { busyMs: 0, swaps: 0, spared: 0 };
  #timer: Timer | null = null;

  constructor(options: HistoryOptions) {
    const log = options.log.child({ component: "history" });
    this.#options = options;
    this.#arrivals = new ArrivalOrder(options.keyOf);
    this.#keeper = new DocumentKeeper({
      ...options,
      ...{ name: "history", shape: document, log },
      read: () => {
        this.#look();
        return { hour: this.#hour.steps, day: this.#day.steps };
      },
      restore: ({ day, hour }) => {
        this.#hour.restore(hour, options.clock.wallMs());
        this.#day.restore(day, options.clock.wallMs());
      },
    });
  }

  /** Brings back what an earlier life wrote down. */
  recall(): Promise<void> {
    return this.#keeper.recall();
  }

  start(): void {
    this.#lookLater();
    this.#keeper.start();
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#keeper.stop();
  }

  /** A job begins to wait: once per job. */
  joined({ id, loadKey }: Job): void {
    this.#arrivals.joined(id, loadKey);
  }

  /** A model was loaded for a job; `wasGone` as `ArrivalOrder.loaded`. */
  loaded(id: JobId, wasGone: boolean): void {
    this.#arrivals.loaded(id, wasGone);
  }

  /** A job neither waits nor runs any more. */
  left(id: JobId): void {
    this.#arrivals.left(id);
  }

  noteRun({ ending, hasLoaded, job, waitedMs }: EndedRun): void {
    // Of one that failed nobody knows whether its model was there.
    this.#arrivals.ran(job.id, ending.state === "done" && !hasLoaded);
    this.#change((each) => ({
      ...each,
      [ending.state]: each[ending.state] + 1,
      tokens: each.tokens + (ending.completionTokens ?? 0),
      waits: { ...each.waits, [job.class]: withWait(each.waits[job.class], waitedMs) },
    }));
  }

  /** A job ended without being let through once more. */
  noteEndedWaiting({ state }: Pick<Ending, "state">): void {
    this.#change((each) => ({ ...each, [state]: each[state] + 1 }));
  }

  /** So many items of batches ended, whoever was asked for them. */
  noteItems(status: keyof Step["items"], count: number): void {
    this.#change((each) => ({
      ...each,
      items: { ...each.items, [status]: each.items[status] + count },
    }));
  }

  /** A chat of the runtime-LLM API was answered, or refused, whoever was asked. */
  noteChat(state: keyof Step["chats"]): void {
    this.#change((each) => ({
      ...each,
      chats: { ...each.chats, [state]: each.chats[state] + 1 },
    }));
  }

  /** Oldest first; a step in which foreman did not run is missing. */
  tell(span: HistoryDocument["span"]): HistoryDocument {
    this.#look();
    const series = span === "hour" ? this.#hour : this.#day;
    const nowMs = this.#options.clock.wallMs();
    return {
      span,
      step_seconds: series.stepMs / 1_000,
      samples: series.steps.map((each) => {
        const lastedMs = Math.min(series.stepMs, Math.max(1, nowMs - each.atMs));
        return sampleOf(each, lastedMs);
      }),
    };
  }

  /** The last 24 hours in sum. */
  totals(): Status["today"] {
    this.#look();
    const { steps } = this.#day;
    const sum = (count: (step: Step) => number) =>
      steps.reduce((total, each) => total + count(each), 0);
    const waits = (jobClass: Job["class"]) => {
      const all = sumOfWaits(steps.map((each) => each.waits[jobClass]));
      return { p50_ms: waitQuantile(all, 0.5), p95_ms: waitQuantile(all, 0.95) };
    };
    return {
      since: isoTime(steps[0]?.atMs ?? this.#options.clock.wallMs()),
      jobs: {
        done: sum((each) => each.done),
        failed: sum((each) => each.failed),
        cancelled: sum((each) => each.cancelled),
      },
      items: {
        completed: sum(({ items }) => items.completed),
        failed: sum(({ items }) => items.failed),
        cancelled: sum(({ items }) => items.cancelled),
      },
      chats: {
        answered: sum(({ chats }) => chats.answered),
        failed: sum(({ chats }) => chats.failed),
      },
      tokens: sum((each) => each.tokens),
      waits: { interactive: waits("interactive"), batch: waits("batch") },
      swaps: sum((each) => each.swaps),
      swaps_spared: sum((each) => each.spared),
    };
  }

  #lookLater(): void {
    this.#timer = this.#options.clock.after(lookEveryMs, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const { busyMs, queued, residents, running, swaps, unfed } = this.#options.read();
    this.#arrivals.noteLoaded(residents);
    const before = this.#counted;
    const spared = this.#arrivals.swaps - this.#arrivals.loads;
    this.#counted = { busyMs, swaps, spared };
    this.#change((each) => ({
      ...each,
      busyMs: each.busyMs + busyMs - before.busyMs,
      swaps: each.swaps + swaps - before.swaps,
      spared: each.spared + spared - before.spared,
      ...{ queued, unfed, running },
    }));
  }

  #change(apply: (step: Step) => Step): void {
    const nowMs = this.#options.clock.wallMs();
    this.#hour.change(nowMs, apply);
    this.#day.change(nowMs, apply);
  }
}

function sampleOf(each: Step, lastedMs: number): HistorySample {
  const waits = sumOfWaits([each.waits.interactive, each.waits.batch]);
  return {
    at: isoTime(each.atMs),
    jobs_done: each.done,
    jobs_failed: each.failed,
    tokens: each.tokens,
    wait_p50_ms: waitQuantile(waits, 0.5),
    wait_p95_ms: waitQuantile(waits, 0.95),
    // Fine enough to tell a single ms in a step of ten minutes.
    gpu_busy_share: Math.min(1, Math.round((each.busyMs / lastedMs) * 1e6) / 1e6),
    ...{ swaps: each.swaps, queued: each.queued, unfed: each.unfed, running: each.running },
  };
}
