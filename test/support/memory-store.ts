import assert from "node:assert/strict";
import { ForemanError } from "../../src/errors.ts";
import {
  type Ending,
  type Job,
  type JobClass,
  type JobId,
  type JobState,
  mayBecome,
  type Transition,
} from "../../src/job.ts";
import {
  type Answer,
  type Heartbeat,
  type Insertion,
  type InsertOptions,
  type Lane,
  type Page,
  type PutBack,
  type Recovery,
  type Store,
  type StoredJob,
  transitionsMax,
} from "../../src/store/store.ts";
import type { CancelledJob, CancelledSlice, WaitingSlice } from "../../src/store/waiting-slice.ts";
import { MemoryDisk, type MemoryRow as Row } from "./memory-disk.ts";
import { MemoryOutbox } from "./memory-outbox.ts";

/** A store without a disk, for tests of what stands in front; held to the contract of stores. */
export class MemoryStore implements Store {
  readonly outbox: MemoryOutbox;
  readonly #disk: MemoryDisk;
  #isClosed = false;
  /** While set, every verb that writes fails with it. */
  failsWith: ForemanError | null = null;
  /** What a heartbeat finds besides. */
  beats: Partial<Heartbeat> = {};

  constructor(disk = new MemoryDisk()) {
    this.#disk = disk;
    this.outbox = new MemoryOutbox(disk, {
      read: () => this.#mayRead(),
      write: () => this.#mayWrite(),
    });
  }

  async insertJob(
    job: Job,
    body: Uint8Array | null,
    { idempotencyKey: key = null, webhookUrl = null }: InsertOptions = {},
  ): Promise<Insertion> {
    this.#mayWrite();
    const { bodies, keys, rows } = this.#disk;
    if ((key ?? webhookUrl) !== null && !job.isDurable)
      throw new ForemanError("internal", "no durable job");
    const clientKey = JSON.stringify([job.client, key]);
    const holder = keys.get(clientKey);
    if (holder !== undefined) return { kind: "known", job: shown(rows.get(holder)!) };
    if (rows.has(job.id)) throw new ForemanError("internal", "the id exists");
    const { arrival } = this.#disk.add(job, webhookUrl);
    if (key !== null) keys.set(clientKey, job.id);
    if (body !== null) bodies.set(job.id, Uint8Array.from(body));
    return { kind: "inserted", arrival };
  }

  async claim(id: JobId, attempt: number, atMs: number): Promise<"claimed" | "lost"> {
    const row = this.#row(id);
    if (row?.state !== "queued" || attempt <= row.lastAttempt) return "lost";
    const attempts = row.attempts + 1;
    const facts = { lastAttempt: attempt, attempts, startedAtMs: atMs, notBeforeMs: null };
    Object.assign(row, { ...facts, state: "loading" });
    this.#disk.note(row, "queued", atMs);
    return "claimed";
  }

  async markWorking(id: JobId, attempt: number, atMs: number): Promise<"marked" | "stale"> {
    const row = this.#held(id, attempt);
    if (row?.state !== "loading") return "stale";
    row.state = "working";
    this.#disk.note(row, "loading", atMs);
    return "marked";
  }

  async settle(
    id: JobId,
    attempt: number,
    ending: Ending,
    atMs: number,
    answer: Answer | null = null,
  ): Promise<"settled" | "stale"> {
    const row = this.#held(id, attempt);
    if (!row || !mayBecome(row.state, ending.state)) return "stale";
    this.#end(row, ending, atMs);
    if (answer !== null) this.#disk.keep(id, answer);
    return "settled";
  }

  async putBack(
    id: JobId,
    attempt: number,
    putBack: PutBack,
    atMs: number,
    notBeforeMs: number | null = null,
  ): Promise<"queued" | "stale"> {
    const row = this.#held(id, attempt);
    if (!row) return "stale";
    const { state: previous } = row;
    row.state = "queued";
    row.putBackWhy = putBack.why;
    row.notBeforeMs = notBeforeMs;
    if (putBack.why === "preempted") row.preemptions += 1;
    if (!putBack.counted) row.attempts -= 1;
    this.#disk.note(row, previous, atMs);
    return "queued";
  }

  async endWaiting(id: JobId, ending: Ending, atMs: number): Promise<"ended" | "lost"> {
    const row = this.#row(id);
    if (row?.state !== "queued" || ending.state === "done") return "lost";
    this.#end(row, ending, atMs);
    return "ended";
  }

  async cancelWaiting(
    { after, client, limit, model, upTo }: WaitingSlice,
    ending: Ending,
    atMs: number,
  ): Promise<CancelledSlice> {
    this.#mayWrite();
    const waiting = [...this.#disk.rows.values()]
      .filter(({ arrival, state }) => state === "queued" && arrival > after && arrival <= upTo)
      .slice(0, limit);
    const jobs = waiting.filter((row) => {
      const fits = row.model === (model ?? row.model) && row.client === (client ?? row.client);
      return row.isDurable && fits;
    });
    for (const row of jobs) this.#end(row, ending, atMs);
    const next = waiting.length < limit ? null : (waiting.at(-1)?.arrival ?? null);
    return { jobs: jobs.map(cancelledJob), next };
  }

  async recoverInterrupted(atMs: number): Promise<Recovery> {
    this.#mayWrite();
    const cancelled: JobClass[] = [];
    const poisoned: JobClass[] = [];
    let requeued = 0;
    for (const row of this.#disk.rows.values()) {
      const isRunning = row.state === "loading" || row.state === "working";
      if (row.ending !== null || (row.isDurable && !isRunning)) continue;
      if (isRunning) row.deaths += 1;
      if (!row.isDurable) {
        cancelled.push(row.class);
        this.#end(row, { ...died, state: "cancelled", reason: "client_gone" }, atMs);
      } else if (row.deaths >= 3) {
        poisoned.push(row.class);
        row.attempts -= 1;
        this.#end(row, { ...died, state: "failed", reason: "poison_item" }, atMs);
      } else {
        requeued += 1;
        const { attempts, state } = row;
        const facts = { attempts: attempts - 1, putBackWhy: "daemon_died" } as const;
        Object.assign(row, { ...facts, state: "queued" });
        this.#disk.note(row, state, atMs);
      }
    }
    return { requeued, cancelled, poisoned };
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

  async answer(id: JobId): Promise<Answer | null> {
    this.#mayRead();
    return this.#disk.answers.get(id) ?? null;
  }

  async transitions(id: JobId, after: number): Promise<readonly Transition[]> {
    this.#mayRead();
    return (this.#disk.histories.get(id) ?? []).slice(after, after + transitionsMax);
  }

  async waitingIn(lane: Lane, afterArrival: number, limit: number): Promise<StoredJob[]> {
    const waiting = this.#waiting().filter((row) => laneKey(row) === laneKey(lane));
    return waiting
      .filter((row) => row.arrival > afterArrival)
      .slice(0, limit)
      .map(shown);
  }

  async position({ arrival, ...lane }: Lane & { readonly arrival: number }): Promise<number> {
    const waiting = this.#waiting().filter((row) => laneKey(row) === laneKey(lane));
    return waiting.filter((row) => row.arrival <= arrival).length;
  }

  async newestArrival(): Promise<number> {
    this.#mayRead();
    return this.#disk.newestArrival;
  }

  async lanes(): Promise<(Lane & { depth: number })[]> {
    const lanes = new Map<string, Lane & { depth: number }>();
    for (const row of this.#waiting()) {
      const { class: jobClass, client, loadKey } = row;
      const depth = (lanes.get(laneKey(row))?.depth ?? 0) + 1;
      lanes.set(laneKey(row), { class: jobClass, loadKey, client, depth });
    }
    return [...lanes.values()];
  }

  async page({ state, model, client, after = Infinity, limit }: Page): Promise<StoredJob[]> {
    this.#mayRead();
    return [...this.#disk.rows.values()]
      .filter((row) => row.arrival < after && row.state === (state ?? row.state))
      .filter((row) => row.model === (model ?? row.model) && row.client === (client ?? row.client))
      .sort((a, b) => b.arrival - a.arrival)
      .slice(0, limit)
      .map(shown);
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
      .filter((row) => endedAtMs(row) < endedBeforeMs && !(row.deliveriesLeft ?? 0))
      .sort((a, b) => endedAtMs(a) - endedAtMs(b))
      .slice(0, limit);
    for (const { id } of old) this.#disk.forget(id);
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

  async heartbeat(): Promise<Heartbeat> {
    this.#mayWrite();
    return { commitMs: 0.25, freeBytes: null, problem: null, ...this.beats };
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
    return [...this.#disk.rows.values()].filter((row) => row.state === "queued" && row.isDurable);
  }

  #end(row: Row, ending: Ending, atMs: number): void {
    assert.ok(mayBecome(row.state, ending.state), `${row.state} → ${ending.state}`);
    const { state: previous } = row;
    row.state = ending.state;
    row.notBeforeMs = null;
    row.ending = { ...ending, endedAtMs: atMs };
    this.#disk.note(row, previous, atMs);
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

function cancelledJob({ class: jobClass, client, id, loadKey }: Row): CancelledJob {
  return { id, class: jobClass, loadKey, client };
}

function laneKey({ class: jobClass, client, loadKey }: Lane): string {
  return JSON.stringify([jobClass, loadKey, client]);
}
