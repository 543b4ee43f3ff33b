import { closeSync, existsSync, fdatasyncSync, openSync } from "node:fs";

/**
 * Syncs the log of an open database by itself, as a commit does with `synchronous=FULL` at its end.
 * Nothing of SQLite's locks is touched: it has none on this file.
 */
export class LogSync {
  readonly #log: string;
  /** From the first, for the log may be deleted in use; null while a full disk has none. */
  #descriptor: number | null = null;

  constructor({ file }: { readonly file: string }) {
    this.#log = `${file}-wal`;
    if (existsSync(this.#log)) this.#descriptor = openSync(this.#log, "r");
  }

  /** Returns when all that was written is on the disk. Throws the system's error. */
  sync(): void {
    this.#descriptor ??= openSync(this.#log, "r");
    fdatasyncSync(this.#descriptor);
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}
