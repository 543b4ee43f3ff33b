import { mkdir, readdir, rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { type Clock, isoTime } from "../clock.ts";
import { ForemanError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { StoreUpkeep } from "./store-upkeep.ts";

type BackupsDeps = {
  readonly upkeep: StoreUpkeep;
  readonly databaseFile: string;
  readonly clock: Clock;
  readonly log: Log;
};

/** A backup that was made: its name in the folder, and its size. */
export type Backup = { readonly name: string; readonly bytes: number };

/**
 * Backups in a folder beside the database, `backups`, named by their time. None is ever deleted:
 * how many to keep, and where else, is for whoever asks for them.
 */
export class Backups {
  readonly #deps: BackupsDeps;
  #isBusy = false;

  constructor(deps: BackupsDeps) {
    this.#deps = deps;
  }

  /** @throws ForemanError `backup_refused` while another one is made; else as `backUp` */
  async make(): Promise<Backup> {
    if (this.#isBusy) {
      throw new ForemanError("backup_refused", "a backup is being made; ask again when it is done");
    }
    this.#isBusy = true;
    try {
      return await this.#make();
    } finally {
      this.#isBusy = false;
    }
  }

  async #make(): Promise<Backup> {
    const { clock, databaseFile, log, upkeep } = this.#deps;
    const folder = join(dirname(databaseFile), "backups");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await this.#clear(folder);
    const stem = basename(databaseFile, extname(databaseFile));
    const name = `${stem}-${isoTime(clock.wallMs())?.replaceAll(/[-:.]/g, "")}.db`;
    const startedMs = clock.monotonicMs();
    const bytes = await upkeep.backUp(join(folder, name));
    log.info({ name, bytes, tookMs: Math.round(clock.monotonicMs() - startedMs) }, "backup made");
    return { name, bytes };
  }

  /** Halves of backups that were cut off: nobody makes another one, so none of them grows. */
  async #clear(folder: string): Promise<void> {
    const halves = (await readdir(folder)).filter((name) => /\.unfinished(-journal)?$/.test(name));
    for (const name of halves) await rm(join(folder, name), { force: true });
  }
}
