import { lstatSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { ForemanError } from "../../errors.ts";
import type { Heartbeat } from "../store.ts";

type Deps = {
  readonly file: string;
  /** So much of the disk is kept free for what runs; 0: the disk may be filled up. */
  readonly floorBytes: number;
};

/**
 * Watches the ground that an open database stands on: whether its files are still where the next
 * start will look for them, and how much room its disk has. SQLite itself notices neither: a file
 * that was deleted takes commits as before, and they are gone with the process.
 *
 * Its looks wait for the disk, so they are for the store's own thread.
 */
export class DiskWatch {
  readonly #deps: Deps;
  /** By path, the file that was there first. */
  readonly #files = new Map<string, string>();
  #freeBytes: number | null = null;
  #lostBecause: string | null = null;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Looks anew. What the other methods say is as old as the last look. */
  look(): void {
    const { file } = this.#deps;
    this.#freeBytes = freeBytes(dirname(file));
    this.#lostBecause = this.#whyLost(file) ?? this.#whyLost(`${file}-wal`);
  }

  /**
   * Lets a durable job in that brings so many bytes. Throws ForemanError `storage_lost` or
   * `storage_full`.
   */
  admit(bytes: number): void {
    if (this.#lostBecause !== null) throw new ForemanError("storage_lost", this.#lostBecause);
    // Once in the log, and once more in the file when the log is folded into it.
    const neededBytes = 2 * bytes;
    const shortage = this.#shortage(neededBytes);
    if (shortage !== null) throw new ForemanError("storage_full", shortage);
    if (this.#freeBytes !== null) this.#freeBytes -= neededBytes;
  }

  view(): Omit<Heartbeat, "commitMs"> {
    return {
      freeBytes: this.#freeBytes,
      problem: this.#lostBecause ?? this.#shortage(0),
    };
  }

  #shortage(neededBytes: number): string | null {
    const { file, floorBytes } = this.#deps;
    if (floorBytes === 0 || this.#freeBytes === null) return null;
    if (this.#freeBytes - neededBytes >= floorBytes) return null;
    const job = neededBytes === 0 ? "" : `, and the job needs ${mib(neededBytes)} more`;
    return (
      `the disk of ${file} has ${mib(this.#freeBytes)} left${job}: ` +
      `FOREMAN_DISK_FLOOR keeps ${mib(floorBytes)} free for the answers of what runs. ` +
      "No job is taken that must be stored until there is more; free space there"
    );
  }

  #whyLost(path: string): string | null {
    const found = identity(path);
    const first = this.#files.get(path);
    if (first === undefined && found.id !== null) this.#files.set(path, found.id);
    if (first === undefined || found.id === first) return null;
    return (
      `${path} is not where it was opened: ${found.problem ?? "another file is there"}. ` +
      "What is stored now is lost with this process, so no job is taken that must be stored; " +
      "put it back, or restart foreman to go on with what is there"
    );
  }
}

/** What is left for this user; null if the folder cannot be asked. */
function freeBytes(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}

function identity(path: string): { readonly id: string | null; readonly problem: string | null } {
  try {
    const { dev, ino } = lstatSync(path, { bigint: true });
    return { id: `${dev}:${ino}`, problem: null };
  } catch (cause) {
    return { id: null, problem: cause instanceof Error ? cause.message : String(cause) };
  }
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
