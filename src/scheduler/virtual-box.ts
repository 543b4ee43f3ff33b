import type { JobClass } from "../job.ts";
import { afterStart } from "./after-start.ts";
import type { Pace } from "./pace.ts";
import type { LaneSnapshot, Snapshot } from "./snapshot.ts";
import type { VirtualLane } from "./virtual-lanes.ts";

/** A job that runs, or that is imagined to. */
type VirtualRun = {
  readonly runnerKey: string;
  readonly client: string;
  /** Infinity where nothing tells how long it takes. */
  readonly endsAtMs: number;
};

/**
 * A box in which nothing runs: what `schedule()` lets through takes the time that such jobs took
 * before, so that a forecast asks the scheduler itself for the order. A load is taken to put out
 * whatever else was loaded.
 */
export class VirtualBox {
  readonly #runMs: ReadonlyMap<string, number>;
  readonly #dues: ReadonlyMap<string, VirtualLane["dues"]>;
  #snapshot: Snapshot;
  #running: readonly VirtualRun[];
  #nowMs = 0;
  /** When the latest load is over: jobs that start beside it wait for it as well. */
  #loadedAtMs = 0;

  /** @param lanes in the place of those of the snapshot */
  constructor(snapshot: Snapshot, lanes: readonly VirtualLane[], { runMs, running }: Pace) {
    this.#dues = new Map(lanes.map(({ dues, lane }) => [lane.key, dues]));
    this.#runMs = runMs;
    this.#snapshot = {
      ...snapshot,
      residents: residentsOnceLoaded(snapshot, running),
      lanes: lanes.map(({ lane }) => lane),
    };
    this.#running = running.map(({ client, restMs, runnerKey }) => ({
      ...{ client, runnerKey },
      endsAtMs: restMs ?? Infinity,
    }));
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Since the forecast began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Lets the head of that lane begin. */
  start(laneKey: string, isSwap: boolean): void {
    const lane = this.#snapshot.lanes.find(({ key }) => key === laneKey);
    if (lane === undefined) return;
    const dues = this.#dues.get(laneKey) ?? null;
    const { class: jobClass, client, runnerKey } = lane;
    const after = afterStart(this.#snapshot, lane);
    const { restedMs, swapMs } = after;
    if (isSwap) this.#loadedAtMs = this.#nowMs + (swapMs.get(runnerKey) ?? Infinity);
    const sentAtMs = Math.max(this.#nowMs, this.#loadedAtMs);
    const endsAtMs = sentAtMs + (this.#runMs.get(runnerKey) ?? Infinity);
    this.#running = [...this.#running, { runnerKey, client, endsAtMs }];
    this.#snapshot = {
      ...after,
      residents: isSwap ? new Set([runnerKey]) : after.residents,
      restedMs: { ...restedMs, [jobClass]: new Map(restedMs[jobClass]).set(runnerKey, 0) },
      lanes: after.lanes.flatMap((each) => (each === lane ? rest(lane, dues) : [each])),
    };
  }

  /** Goes on to the next end of a job; false if none is to be expected. */
  advance(): boolean {
    const endsAtMs = Math.min(...this.#running.map((run) => run.endsAtMs));
    if (endsAtMs === Infinity) return false;
    const stepMs = Math.max(0, endsAtMs - this.#nowMs);
    this.#nowMs += stepMs;
    this.#running = this.#running.filter((run) => run.endsAtMs > this.#nowMs);
    this.#snapshot = { ...aged(this.#snapshot, stepMs), running: this.#running };
    return true;
  }
}

/** What is loaded by the time that what runs now has its runner. */
function residentsOnceLoaded({ residents }: Snapshot, running: Pace["running"]) {
  const loading = running.find(({ runnerKey }) => !residents.has(runnerKey));
  return loading === undefined ? residents : new Set([loading.runnerKey]);
}

/** What is left of a lane when its head has gone. */
function rest(lane: LaneSnapshot, dues: Iterator<number> | null): readonly LaneSnapshot[] {
  if (lane.depth === 1) return [];
  const deficitMs = dues === null ? lane.deficitMs : -dues.next().value;
  return [{ ...lane, depth: lane.depth - 1, deficitMs }];
}

/** The snapshot as it stands so much later, if nothing else happened. */
function aged(snapshot: Snapshot, ms: number): Snapshot {
  const { holders, lanes, restedMs, sinceBatchStart } = snapshot;
  const held = (holder: Snapshot["holders"][JobClass]) =>
    holder && { ...holder, heldMs: holder.heldMs + ms };
  const rested = (runners: ReadonlyMap<string, number>) =>
    new Map([...runners].map(([key, restedFor]) => [key, restedFor + ms]));
  return {
    ...snapshot,
    holders: { interactive: held(holders.interactive), batch: held(holders.batch) },
    restedMs: { interactive: rested(restedMs.interactive), batch: rested(restedMs.batch) },
    sinceBatchStart: { ...sinceBatchStart, ms: sinceBatchStart.ms + ms },
    lanes: lanes.map((lane) => ({
      ...lane,
      head: { ...lane.head, waitedMs: lane.head.waitedMs + ms },
    })),
  };
}
