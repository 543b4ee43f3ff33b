import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { Job } from "../../../src/job.ts";
import type { Store } from "../../../src/store/store.ts";
import { aJob, prompt } from "../job-maker.ts";

/** Opens the store that is kept in a folder of its own, which is empty at first. */
export type OpenStore = (folder: string) => Promise<Store>;

/** A new store for each test of the enclosing `describe`, closed and deleted after it. */
export class StorePlace {
  readonly #openStore: OpenStore;
  #folder = "";
  #store: Store | null = null;

  constructor(openStore: OpenStore) {
    this.#openStore = openStore;
    beforeEach(async () => {
      this.#folder = mkdtempSync(join(tmpdir(), "foreman-store-"));
      this.#store = await openStore(this.#folder);
    });
    afterEach(async () => {
      await this.store.close();
      rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  get store(): Store {
    return this.#store!;
  }

  /** Closes the store and opens what it kept. */
  async reopen(): Promise<void> {
    await this.store.close();
    this.#store = await this.#openStore(this.#folder);
  }

  /** Inserts a new job without a body; answers its arrival. */
  async inserted(job: Job): Promise<number> {
    const insertion = await this.store.insertJob(job, null);
    assert(insertion.kind === "inserted");
    return insertion.arrival;
  }

  /** A job at its first attempt, which works. */
  async working(facts: Partial<Job> = {}): Promise<Job> {
    const job = aJob(facts);
    await this.store.insertJob(job, job.isDurable ? prompt : null);
    await this.store.claim(job.id, 1, 5);
    await this.store.markWorking(job.id, 1, 6);
    return job;
  }
}
