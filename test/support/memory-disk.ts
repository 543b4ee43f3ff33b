import type { Job, JobId } from "../../src/job.ts";
import type { Answer, StoredJob } from "../../src/store/store.ts";

export type MemoryRow = { -readonly [K in keyof StoredJob]: StoredJob[K] } & { deaths: number };

/** What outlives a memory store: given to a second one, that finds what the first kept. */
export class MemoryDisk {
  readonly rows = new Map<JobId, MemoryRow>();
  readonly bodies = new Map<JobId, Uint8Array>();
  readonly answers = new Map<JobId, Answer>();
  /** Jobs by client and key. */
  readonly keys = new Map<string, JobId>();
  readonly documents = new Map<string, Uint8Array>();
  #arrivals = 0;

  /** Writes a row that waits; answers it. */
  add(job: Job): MemoryRow {
    this.#arrivals += 1;
    const row: MemoryRow = {
      ...job,
      arrival: this.#arrivals,
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
    return row;
  }

  keep(id: JobId, answer: Answer): void {
    this.answers.set(id, { ...answer, body: Uint8Array.from(answer.body) });
  }

  /** Deletes a job and what hangs on it. */
  forget(id: JobId): void {
    this.rows.delete(id);
    this.answers.delete(id);
    for (const [key, holder] of this.keys) if (holder === id) this.keys.delete(key);
  }
}
