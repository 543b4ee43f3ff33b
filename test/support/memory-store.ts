import assert from "node:assert/strict";
import { ForemanError } from "../../src/errors.ts";
import { type Ending, type Job, type JobId, type JobState, mayBecome } from "../../src/job.ts";
import type { Lane, PutBack, Recovery, Store, StoredJob } from "../../src/store/store.ts";

type Row = { -readonly [K in keyof StoredJob]: StoredJob[K] } & { deaths: number };

/** What outlives a memory store: given to a second one, that finds what the first kept. */
export class MemoryDisk {
  readonly rows = new Map<JobId, Row>();
  readonly bodies = new Map<JobId, Uint8Array>();
  readonly documents = new Map<string, Uint8Array>();
  arrivals = 0;
}

/** A store without a disk, for tests of what stands in front; held to the contract of stores. */
export class MemoryStore implements Store {
  readonly #disk: MemoryDisk;
  #isClosed = false;
  /** While set, every verb that writes fails with it. */
  failsWith: ForemanError | null = null;

  constructor(disk = new MemoryDisk()) {
    this.#disk = disk;
  }

  async insertJob(job: Job, body: Uint8Array | null): Promise<number> {
    this.#mayWrite();
    if (this.#disk.rows.has(job.id)) throw new ForemanError("internal", "the id exists");
    this.#disk.arrivals += 1;
    const arrival = this.#disk.arrivals;
    const fresh = { lastAttempt: 0, attempts: 0, deaths: 0, startedAtMs: null, ending: null };
    this.#disk.rows.set(job.id, { ...job, ...fresh, arrival, state: "queued", putBackWhy: null });
    if (body !== null) this.#disk.bodies.set(job.id, Uint8Array.from(body));
    return arrival;
  }

  async claim(id: JobId, attempt: number, atMs: number): Promise<"claimed" | "lost"> {
    const row = this.#row(id);
    if (row?.state !== "queued" || attempt <= row.lastAttempt) return "lost";
    const attempts = row.attempts + 1;
    Object.assign(row, { state: "loading", lastAttempt: attempt, attempts, startedAtMs: atMs });
    return "claimed";
  }

  async markWorking(id: JobId, attempt: number): Promise<"marked" | "stale"> {
    const row = this.#held(id, attempt);
    if (row?.state !== "loading") return "stale";
    row.state = "working";
    return "marked";
  }

  async settle(
    id: JobId,
    attempt: number,
    ending: Ending,
    atMs: number,
  ): Promise<"settled" | "stale"> {
    const row = this.#held(id, attempt);
    if (!row || !mayBecome(row.state, ending.state)) return "stale";
    this.#end(row, ending, atMs);
    return "settled";
  }

  async putBack(id: JobId, attempt: number, putBack: PutBack): Promise<"queued" | "stale"> {
    const row = this.#held(id, attempt);
    if (!row) return "stale";
    row.state = "queued";
    row.putBackWhy = putBack.why;
    if (!putBack.counted) row.attempts -= 1;
    return "queued";
  }

  async endWaiting(id: JobId, ending: Ending, atMs: number): Promise<"ended" | "lost"> {
    const row = this.#row(id);
    if (row?.state !== "queued" || ending.state === "done") return "lost";
    this.#end(row, ending, atMs);
    return "ended";
  }

  async recoverInterrupted(atMs: number): Promise<Recovery> {
    this.#mayWrite();
    const recovery = { requeued: 0, cancelled: 0, poisoned: 0 };
    for (const row of this.#disk.rows.values()) {
      const isRunning = row.state === "loading" || row.state === "working";
      if (row.ending !== null || (row.isDurable && !isRunning)) continue;
      if (isRunning) row.deaths += 1;
      if (!row.isDurable) {
        recovery.cancelled += 1;
        this.#end(row, { ...died, state: "cancelled", reason: "client_gone" }, atMs);
      } else if (row.deaths >= 3) {
        recovery.poisoned += 1;
        this.#end(row, { ...died, state: "failed", reason: "poison_item" }, atMs);
      } else {
        recovery.requeued += 1;
        const attempts = row.attempts - 1;
        Object.assign(row, { state: "queued", attempts, putBackWhy: "daemon_died" });
      }
    }
    return recovery;
  }

  async job(id: JobId): Promise<StoredJob | null> {
    this.#mayRead();
    const row = this.#disk.rows.get(id);
    return row ? shown(row) : null;
  }

  async body(id: JobId): Promise<Uint8Array | null> {
    this.#mayRead();
    return this.#disk.bodies.get(id) ?? null;
  }

  async waitingIn(lane: Lane, afterArrival: number, limit: number): Promise<StoredJob[]> {
    const waiting = this.#waiting().filter((row) => laneKey(row) === laneKey(lane));
    return waiting
      .filter((row) => row.arrival > afterArrival)
      .slice(0, limit)
      .map(shown);
  }

  async lanes(): Promise<(Lane & { depth: number })[]> {
    const lanes = new Map<string, Lane & { depth: number }>();
    for (const row of this.#waiting()) {
      const { class: jobClass, client, runnerKey } = row;
      const depth = (lanes.get(laneKey(row))?.depth ?? 0) + 1;
      lanes.set(laneKey(row), { class: jobClass, runnerKey, client, depth });
    }
    return [...lanes.values()];
  }

  async countByState(): Promise<Record<JobState, number>> {
    this.#mayRead();
    const counts = { queued: 0, loading: 0, working: 0, done: 0, failed: 0, cancelled: 0 };
    for (const { state } of this.#disk.rows.values()) counts[state] += 1;
    return counts;
  }

  async prune(endedBeforeMs: number, limit: number): Promise<number> {
    this.#mayWrite();
    const endedAtMs = (row: Row) => row.ending?.endedAtMs ?? Number.POSITIVE_INFINITY;
    const old = [...this.#disk.rows.values()]
      .filter((row) => endedAtMs(row) < endedBeforeMs)
      .sort((a, b) => endedAtMs(a) - endedAtMs(b))
      .slice(0, limit);
    for (const { id } of old) this.#disk.rows.delete(id);
    return old.length;
  }

  async remember(name: string, document: Uint8Array): Promise<void> {
    this.#mayWrite();
    this.#disk.documents.set(name, Uint8Array.from(document));
  }

  async recall(name: string): Promise<Uint8Array | null> {
    this.#mayRead();
    return this.#disk.documents.get(name) ?? null;
  }

  async heartbeat(): Promise<number> {
    this.#mayWrite();
    return 0.25;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #mayRead(): void {
    if (this.#isClosed) throw new ForemanError("storage_failed", "the store is closed");
  }

  #mayWrite(): void {
    this.#mayRead();
    if (this.failsWith !== null) throw this.failsWith;
  }

  #row(id: JobId): Row | null {
    this.#mayWrite();
    return this.#disk.rows.get(id) ?? null;
  }

  /** The row while that attempt runs. */
  #held(id: JobId, attempt: number): Row | null {
    const row = this.#row(id);
    const isRunning = row?.state === "loading" || row?.state === "working";
    return isRunning && row.lastAttempt === attempt ? row : null;
  }

  #waiting(): Row[] {
    this.#mayRead();
    return [...this.#disk.rows.values()].filter((row) => row.state === "queued");
  }

  #end(row: Row, ending: Ending, atMs: number): void {
    assert.ok(mayBecome(row.state, ending.state), `${row.state} → ${ending.state}`);
    row.state = ending.state;
    row.ending = { ...ending, endedAtMs: atMs };
    this.#disk.bodies.delete(row.id);
  }
}

const died = {
  message: "the daemon died while it ran",
  statusCode: null,
  promptTokens: null,
  completionTokens: null,
};

function shown({ deaths: _deaths, ...row }: Row): StoredJob {
  return row;
}

function laneKey({ class: jobClass, client, runnerKey }: Lane): string {
  return JSON.stringify([jobClass, runnerKey, client]);
}
