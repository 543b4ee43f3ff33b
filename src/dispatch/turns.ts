import type { JobClass } from "../job.ts";
import type { Holder, Snapshot } from "../scheduler/snapshot.ts";

type TurnFacts = Pick<Snapshot, "holders" | "restedMs" | "lastStarted" | "sinceBatchStart">;

type Started = { readonly class: JobClass; readonly runnerKey: string };

/** Remembers who was let through and when, as far as the scheduler's rules ask for it. */
export class Turns {
  readonly #classes = { interactive: new ClassTurns(), batch: new ClassTurns() };
  #lastStarted: JobClass | null = null;
  /** Null while no batch work waits. */
  #batchWait: { interactiveStarts: number; sinceMs: number } | null = null;

  noteStart({ class: jobClass, runnerKey }: Started, nowMs: number): void {
    this.#classes[jobClass].noteStart(runnerKey, nowMs);
    this.#lastStarted = jobClass;
    if (jobClass === "batch") this.#batchWait = { interactiveStarts: 0, sinceMs: nowMs };
    else if (this.#batchWait !== null) this.#batchWait.interactiveStarts += 1;
  }

  /** The facts at `nowMs`, given the lanes that wait. Forgets what nobody waits for any more. */
  facts(lanes: Snapshot["lanes"], nowMs: number): TurnFacts {
    const { batch, interactive } = this.#classes;
    const isBatchWaiting = lanes.some((lane) => lane.class === "batch");
    if (!isBatchWaiting) this.#batchWait = null;
    else this.#batchWait ??= { interactiveStarts: 0, sinceMs: nowMs };
    return {
      holders: { interactive: interactive.holder(nowMs), batch: batch.holder(nowMs) },
      restedMs: {
        interactive: interactive.restedMs(runnersOf("interactive", lanes), nowMs),
        batch: batch.restedMs(runnersOf("batch", lanes), nowMs),
      },
      lastStarted: this.#lastStarted,
      sinceBatchStart: {
        interactiveStarts: this.#batchWait?.interactiveStarts ?? 0,
        ms: this.#batchWait === null ? 0 : nowMs - this.#batchWait.sinceMs,
      },
    };
  }
}

class ClassTurns {
  #holder: { runnerKey: string; starts: number; sinceMs: number } | null = null;
  /** By runner key, monotonic ms of its last start; only of runners that somebody waits for. */
  readonly #startedAtMs = new Map<string, number>();

  noteStart(runnerKey: string, nowMs: number): void {
    const holder = this.#holder;
    this.#holder =
      holder?.runnerKey === runnerKey
        ? { ...holder, starts: holder.starts + 1 }
        : { runnerKey, starts: 1, sinceMs: nowMs };
    this.#startedAtMs.set(runnerKey, nowMs);
  }

  holder(nowMs: number): Holder | null {
    const holder = this.#holder;
    if (holder === null) return null;
    const { runnerKey, sinceMs, starts } = holder;
    return { runnerKey, starts, heldMs: nowMs - sinceMs };
  }

  restedMs(waitedFor: ReadonlySet<string>, nowMs: number): ReadonlyMap<string, number> {
    for (const runnerKey of this.#startedAtMs.keys()) {
      if (!waitedFor.has(runnerKey)) this.#startedAtMs.delete(runnerKey);
    }
    return new Map([...this.#startedAtMs].map(([key, atMs]) => [key, nowMs - atMs]));
  }
}

function runnersOf(jobClass: JobClass, lanes: Snapshot["lanes"]): ReadonlySet<string> {
  return new Set(lanes.filter((lane) => lane.class === jobClass).map((lane) => lane.runnerKey));
}
