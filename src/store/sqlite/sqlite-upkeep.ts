import { stat } from "node:fs/promises";
import { ForemanError } from "../../errors.ts";
import type { StoreUpkeep } from "../store-upkeep.ts";
import { runChore } from "./chore.ts";
import type { ThreadClient } from "./thread-client.ts";
import type { WriteVerb } from "./verb.ts";

const checkChore = new URL("./check-chore.ts", import.meta.url);
const backupChore = new URL("./backup-chore.ts", import.meta.url);

type Deps = {
  readonly file: string;
  readonly writer: ThreadClient<WriteVerb>;
  readonly owesCheck: boolean;
};

/** What a SQLite database needs while it is in use. */
export class SqliteUpkeep implements StoreUpkeep {
  readonly #file: string;
  readonly #writer: ThreadClient<WriteVerb>;
  readonly #stop = new AbortController();
  /** Processes that have the database open. */
  readonly #chores = new Set<Promise<unknown>>();
  #owesCheck: boolean;

  constructor({ file, owesCheck, writer }: Deps) {
    this.#file = file;
    this.#writer = writer;
    this.#owesCheck = owesCheck;
  }

  get owesCheck(): boolean {
    return this.#owesCheck;
  }

  async check(signal: AbortSignal): Promise<string | null> {
    try {
      await this.#run(checkChore, [this.#file], signal);
    } catch (cause) {
      if (cause instanceof ForemanError && cause.code === "database_damaged") {
        return damagedInUse(this.#file, cause.message);
      }
      throw cause;
    }
    await this.#writer.ask({ kind: "noteSound" });
    this.#owesCheck = false;
    return null;
  }

  shrink(): Promise<boolean> {
    return this.#writer.ask({ kind: "shrink" });
  }

  async emptyLog(): Promise<void> {
    await this.#writer.ask({ kind: "emptyLog" });
  }

  async logBytes(): Promise<number> {
    const log = `${this.#file}-wal`;
    const { size } = await stat(log).catch((cause: unknown) => {
      const message = `${log} is gone: was ${this.#file} deleted while foreman uses it?`;
      throw new ForemanError("storage_failed", message, { cause });
    });
    return size;
  }

  async backUp(file: string): Promise<number> {
    return Number(await this.#run(backupChore, [this.#file, file], this.#stop.signal));
  }

  /** Ends what runs, so that nothing but the store's own threads has the database open. */
  async stop(): Promise<void> {
    const message = `foreman stopped, and with it its reading of ${this.#file}`;
    this.#stop.abort(new ForemanError("draining", message));
    await Promise.allSettled(this.#chores);
  }

  async #run(script: URL, files: readonly string[], signal: AbortSignal): Promise<string> {
    const run = runChore(script, files, AbortSignal.any([signal, this.#stop.signal]));
    this.#chores.add(run);
    try {
      return await run;
    } finally {
      this.#chores.delete(run);
    }
  }
}

function damagedInUse(file: string, detail: string): string {
  return (
    `${file} is damaged: ${detail}; foreman goes on with what it can read. Stop it soon and put ` +
    "a sound copy in its place (docs/api.md tells of backups), or recover the file"
  );
}
