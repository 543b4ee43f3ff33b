import type { Job, JobId, JobState } from "../../src/job.ts";
import type { Answer, StoredJob, Transition } from "../../src/store/store.ts";

export type MemoryRow = { -readonly [K in keyof StoredJob]: StoredJob[K] } & { deaths: number };

/** What outlives a memory store: given to a second one, that finds what the first kept. */
export class MemoryDisk {
  readonly rows = new Map<JobId, MemoryRow>();
  readonly bodies = new Map<JobId, Uint8Array>();
  readonly answers = new Map<JobId, Answer>();
  readonly histories = new Map<JobId, Transition[]>();
  /** Jobs by client and key. */
  readonly keys = new Map<string, JobId>();
  readonly documents = new Map<string, Uint8Array>();
  newestArrival = 0;

  /** Writes a row that waits; answers it. */
  add(job: Job): MemoryRow {
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
      ending: null,
    };
    this.rows.set(job.id, row);
    this.note(row, null, job.enqueuedAtMs);
    return row;
  }

  /** Writes down the state that a row has come to. */
  note(row: MemoryRow, previousState: JobState | null, atMs: number): void {
    if (!row.isDurable) return;
    const history = this.histories.get(row.id) ?? [];
    const why = row.state === "queued" ? row.putBackWhy : (row.ending?.reason ?? null);
    const { lastAttempt: attempt, state } = row;
    history.push({ n: history.length + 1, state, previousState, attempt, why, atMs });
    this.histories.set(row.id, history);
  }

  keep(id: JobId, answer: Answer): void {
    this.answers.set(id, { ...answer, body: Uint8Array.from(answer.body) });
  }

  /** Deletes a job and what hangs on it. */
  forget(id: JobId): void {
    this.rows.delete(id);
    this.answers.delete(id);
    this.histories.delete(id);
    for (const [key, holder] of this.keys) if (holder === id) this.keys.delete(key);
  }
}
