import type { Job, JobId, JobState, Transition } from "../../src/job.ts";
import type { Delivery } from "../../src/store/outbox.ts";
import type { Answer, StoredJob } from "../../src/store/store.ts";

export type MemoryRow = { -readonly [K in keyof StoredJob]: StoredJob[K] } & { deaths: number };

/** A row of the outbox; `nextAtMs` is null behind another of its job. */
export type MemoryDelivery = Omit<Delivery, "tries"> & { tries: number; nextAtMs: number | null };

/** What outlives a memory store: given to a second one, that finds what the first kept. */
export class MemoryDisk {
  readonly rows = new Map<JobId, MemoryRow>();
  readonly bodies = new Map<JobId, Uint8Array>();
  readonly answers = new Map<JobId, Answer>();
  readonly histories = new Map<JobId, Transition[]>();
  /** Jobs by client and key. */
  readonly keys = new Map<string, JobId>();
  readonly documents = new Map<string, Uint8Array>();
  readonly webhooks = new Map<JobId, string>();
  /** In the order of the changes that they tell. */
  readonly outbox = new Map<number, MemoryDelivery>();
  newestArrival = 0;
  #deliveries = 0;

  /** Writes a row that waits; answers it. */
  add(job: Job, webhookUrl: string | null): MemoryRow {
    this.newestArrival += 1;
    const row: MemoryRow = {
      ...job,
      arrival: this.newestArrival,
      state: "queued",
      lastAttempt: 0,
      attempts: 0,
      preemptions: 0,
      deaths: 0,
      notBeforeMs: null,
      putBackWhy: null,
      startedAtMs: null,
      deliveriesLeft: webhookUrl === null ? null : 0,
      ending: null,
    };
    this.rows.set(job.id, row);
    if (webhookUrl !== null) this.webhooks.set(job.id, webhookUrl);
    this.note(row, null, job.enqueuedAtMs);
    return row;
  }

  /** Writes down the state that a row has come to. */
  note(row: MemoryRow, previousState: JobState | null, atMs: number): void {
    if (!row.isDurable) return;
    const history = this.histories.get(row.id) ?? [];
    const why = row.state === "queued" ? row.putBackWhy : (row.ending?.reason ?? null);
    const { lastAttempt: attempt, state } = row;
    const transition = { n: history.length + 1, state, previousState, attempt, why, atMs };
    history.push(transition);
    this.histories.set(row.id, history);
    const url = this.webhooks.get(row.id);
    if (url === undefined) return;
    this.#deliveries += 1;
    const [seq, isFirst] = [this.#deliveries, row.deliveriesLeft === 0];
    const nextAtMs = isFirst ? 0 : null;
    this.outbox.set(seq, { seq, jobId: row.id, transition, url, tries: 0, nextAtMs });
    row.deliveriesLeft = (row.deliveriesLeft ?? 0) + 1;
  }

  keep(id: JobId, answer: Answer): void {
    this.answers.set(id, { ...answer, body: Uint8Array.from(answer.body) });
  }

  /** Deletes a job and what hangs on it. */
  forget(id: JobId): void {
    this.rows.delete(id);
    this.answers.delete(id);
    this.histories.delete(id);
    this.webhooks.delete(id);
    for (const [key, holder] of this.keys) if (holder === id) this.keys.delete(key);
  }
}
