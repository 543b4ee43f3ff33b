// A box in virtual time: jobs arrive, schedule() is asked whenever something changes, a runner that
// is not loaded takes its load time first, and what falls out of memory must be loaded again.
import type { JobClass, JobId } from "../../src/job.ts";
import { type Decision, schedule } from "../../src/scheduler/schedule.ts";
import { Share } from "../../src/scheduler/share.ts";
import type { ScheduleLimits, Snapshot } from "../../src/scheduler/snapshot.ts";

export type SimulatedJob = {
  readonly atMs: number;
  readonly class: JobClass;
  readonly runnerKey: string;
  readonly client: string;
  readonly runMs: number;
};

export type World = {
  readonly limits: ScheduleLimits;
  readonly jobs: readonly SimulatedJob[];
  readonly loadMs: Readonly<Record<string, number>>;
  /** How many runners stay loaded side by side. */
  readonly residentsMax: number;
  readonly weights: Readonly<Record<string, number>>;
  /** How many of a client's jobs may run at once; absent: as many as there are slots. */
  readonly slots?: Readonly<Record<string, number>>;
  /** The target is away in [from, to). */
  readonly away: readonly { readonly fromMs: number; readonly toMs: number }[];
};

export type Waiting = SimulatedJob & {
  readonly id: JobId;
  readonly arrival: number;
  /** Jobs before it in its lane when it came. */
  readonly aheadInLane: number;
};

export type Started = Waiting & { readonly startMs: number; readonly isSwap: boolean };

/** One question put to schedule(), with the answer, before it is acted upon. */
export type Asked = {
  readonly nowMs: number;
  readonly snapshot: Snapshot;
  readonly decisions: Decision[];
};

type Row = { runnerKey: string; starts: number; sinceMs: number };

type Run = Started & { readonly endMs: number };

export class Simulation {
  readonly starts: Started[] = [];
  readonly #world: World;
  readonly #onAsked: (asked: Asked) => void;
  readonly #lanes = new Map<string, Waiting[]>();
  readonly #share: Record<JobClass, Share>;
  readonly #lastStartMs = {
    interactive: new Map<string, number>(),
    batch: new Map<string, number>(),
  };
  readonly #swapMs = new Map<string, number>();
  /** Most recently used last. */
  readonly #residents: string[] = [];
  #running: Run[] = [];
  readonly #holders: Record<JobClass, Row | null> = { interactive: null, batch: null };
  #lastStarted: JobClass | null = null;
  #since = { interactiveStarts: 0, atMs: 0 };
  #nowMs = 0;

  constructor(world: World, onAsked: (asked: Asked) => void = () => {}) {
    this.#world = world;
    this.#onAsked = onAsked;
    const weightOf = (client: string) => world.weights[client] ?? 1;
    this.#share = { interactive: new Share({ weightOf }), batch: new Share({ weightOf }) };
  }

  /** Runs until nothing is left to do, or until `untilMs`. */
  run(untilMs = Number.POSITIVE_INFINITY): this {
    const arrivals = this.#world.jobs.toSorted((one, other) => one.atMs - other.atMs);
    const returns = this.#world.away.map(({ toMs }) => toMs).sort((one, other) => one - other);
    for (let arrived = 0; ; ) {
      const ends = this.#running.map(({ endMs }) => endMs);
      const nextMs = Math.min(...ends, arrivals[arrived]?.atMs ?? Infinity, returns[0] ?? Infinity);
      if (nextMs > untilMs || nextMs === Infinity) return this;
      this.#nowMs = nextMs;
      while (returns[0] !== undefined && returns[0] <= nextMs) returns.shift();
      this.#end();
      for (; arrivals[arrived] && arrivals[arrived]!.atMs <= nextMs; arrived++) {
        this.#arrive(arrivals[arrived]!, arrived);
      }
      while (this.#ask()) {}
    }
  }

  #arrive(job: SimulatedJob, arrival: number): void {
    const key = `${job.class} ${job.runnerKey} ${job.client}`;
    const lane = this.#lanes.get(key) ?? [];
    if (job.class === "batch" && !this.#isWaiting("batch")) {
      this.#since = { interactiveStarts: 0, atMs: this.#nowMs };
    }
    this.#lanes.set(key, lane);
    lane.push({ ...job, id: String(arrival) as JobId, arrival, aheadInLane: lane.length });
    this.#share[job.class].joined(job);
  }

  #isWaiting(jobClass: JobClass): boolean {
    return [...this.#lanes.values()].some(([head]) => head?.class === jobClass);
  }

  #end(): void {
    const ended = this.#running.filter(({ endMs }) => endMs <= this.#nowMs);
    this.#running = this.#running.filter(({ endMs }) => endMs > this.#nowMs);
    for (const job of ended) {
      this.#share[job.class].charge(job, job.runMs);
      this.#share[job.class].left(job);
    }
  }

  #ask(): boolean {
    const snapshot = this.#snapshot();
    const decisions = schedule(snapshot, this.#world.limits);
    this.#onAsked({ nowMs: this.#nowMs, snapshot, decisions });
    const starts = decisions.filter((decision) => decision.kind === "start");
    for (const { laneKey, isSwap } of starts) this.#start(laneKey, isSwap);
    return starts.length > 0;
  }

  #start(laneKey: string, isSwap: boolean): void {
    const lane = this.#lanes.get(laneKey)!;
    const job = lane.shift()!;
    if (lane.length === 0) this.#lanes.delete(laneKey);
    const { runnerKey } = job;
    const beside = this.#running.find((other) => other.runnerKey === runnerKey);
    const loadMs = isSwap ? (this.#world.loadMs[runnerKey] ?? 0) : 0;
    if (isSwap && !beside) this.#swapMs.set(runnerKey, loadMs);
    this.#load(runnerKey);
    const started = { ...job, startMs: this.#nowMs, isSwap };
    this.starts.push(started);
    this.#running.push({ ...started, endMs: this.#nowMs + loadMs + job.runMs });
    this.#note(job);
  }

  #load(runnerKey: string): void {
    const at = this.#residents.indexOf(runnerKey);
    if (at >= 0) this.#residents.splice(at, 1);
    this.#residents.push(runnerKey);
    if (this.#residents.length > this.#world.residentsMax) this.#residents.shift();
  }

  #note({ class: jobClass, runnerKey }: SimulatedJob): void {
    const nowMs = this.#nowMs;
    this.#lastStartMs[jobClass].set(runnerKey, nowMs);
    this.#lastStarted = jobClass;
    if (jobClass === "batch") this.#since = { interactiveStarts: 0, atMs: nowMs };
    else this.#since.interactiveStarts += 1;
    const row = this.#holders[jobClass];
    if (row?.runnerKey === runnerKey) row.starts += 1;
    else this.#holders[jobClass] = { runnerKey, starts: 1, sinceMs: nowMs };
  }

  #snapshot(): Snapshot {
    const nowMs = this.#nowMs;
    const away = this.#world.away.find(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs);
    const rested = (jobClass: JobClass) =>
      new Map([...this.#lastStartMs[jobClass]].map(([key, atMs]) => [key, nowMs - atMs]));
    const held = (row: Row | null) => row && { ...row, heldMs: nowMs - row.sinceMs };
    return {
      target: { isReachable: !away, awayMs: away ? nowMs - away.fromMs : 0 },
      isDraining: false,
      running: this.#running.map(({ client, runnerKey }) => ({ client, runnerKey })),
      residents: new Set(this.#residents),
      holders: {
        interactive: held(this.#holders.interactive),
        batch: held(this.#holders.batch),
      },
      restedMs: { interactive: rested("interactive"), batch: rested("batch") },
      lastStarted: this.#lastStarted,
      sinceBatchStart: { ...this.#since, ms: nowMs - this.#since.atMs },
      swapMs: new Map(this.#swapMs),
      lanes: [...this.#lanes].map(([key, [head, ...behind]]) => ({
        key,
        class: head!.class,
        runnerKey: head!.runnerKey,
        client: head!.client,
        clientSlots: this.#world.slots?.[head!.client] ?? null,
        depth: 1 + behind.length,
        head: { jobId: head!.id, arrival: head!.arrival, waitedMs: nowMs - head!.atMs },
        pause: null,
        deficitMs: this.#share[head!.class].deficitMs(head!),
      })),
    };
  }
}
