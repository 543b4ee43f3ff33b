import type { Clock } from "../clock.ts";
import { hasCode } from "../errors.ts";
import type { JobId } from "../job.ts";
import type { Log } from "../log.ts";

/** How soon what a full disk kept back is tried again. */
const againMs = 2_000;

/** So many jobs may be owed rows, some 10 MB; the rows of others are ended by the next start. */
const jobsMax = 10_000;

type Entry = { readonly what: string; readonly write: () => Promise<unknown> };

/**
 * Writes rows of jobs, whatever the disk says. Those of jobs on a socket are written behind, for
 * nobody waits for them: what a full disk refuses is owed, and written as soon as there is room,
 * each job's in their order. Other failures are logged, and hinder nobody.
 */
export class WriteBehind {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #owed = new Map<JobId, Entry[]>();
  #isPaying = false;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = clock;
    this.#log = log.child({ component: "write-behind" });
  }

  /** `what` names the change in the log; `write` may be called again. */
  write(id: JobId, what: string, write: () => Promise<unknown>): void {
    const entry = { what, write };
    const owed = this.#owed.get(id);
    if (owed !== undefined) {
      owed.push(entry);
      return;
    }
    write().catch((cause: unknown) => {
      this.#logFailure(id, what, cause);
      if (hasCode(cause, "storage_full")) this.#owe(id, entry);
    });
  }

  /**
   * Writes as soon as there is room what a full disk has refused already. Asked at once, it would
   * be refused again, behind what followed it.
   */
  owe(id: JobId, what: string, write: () => Promise<unknown>): void {
    this.#owe(id, { what, write });
  }

  /**
   * Writes what may be done without by nobody, such as the end of a durable job: resolves when it
   * is on the disk, which on a full one is as soon as there is room, or was refused for another
   * reason, which is logged. Never rejects.
   */
  async insist(id: JobId, what: string, write: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await write();
        return;
      } catch (cause) {
        this.#logFailure(id, what, cause);
        if (!hasCode(cause, "storage_full")) return;
        await this.#clock.sleep(againMs);
      }
    }
  }

  #owe(id: JobId, entry: Entry): void {
    const owed = this.#owed.get(id);
    if (owed !== undefined) owed.push(entry);
    else if (this.#owed.size < jobsMax) this.#owed.set(id, [entry]);
    if (!this.#isPaying) void this.#pay();
  }

  async #pay(): Promise<void> {
    this.#isPaying = true;
    while (this.#owed.size > 0) {
      await this.#clock.sleep(againMs);
      await this.#payWhileThereIsRoom();
    }
    this.#isPaying = false;
    this.#log.info("rows written that a full disk kept back");
  }

  /** One is enough to learn that the disk is still full. */
  async #payWhileThereIsRoom(): Promise<void> {
    for (const [id, entries] of this.#owed) {
      for (const { what, write } of entries) {
        try {
          await write();
        } catch (cause) {
          if (hasCode(cause, "storage_full")) return;
          this.#logFailure(id, what, cause);
        }
      }
      this.#owed.delete(id);
    }
  }

  #logFailure(id: JobId, what: string, cause: unknown): void {
    this.#log.error({ jobId: id, what, err: cause }, "job's row not written");
  }
}
