import type { Log } from "../log.ts";
import type { StoreUpkeep } from "./store-upkeep.ts";

/** What a burst of commits may leave; a larger log is emptied as soon as nobody reads from it. */
const keptBytesMax = 64 * 2 ** 20;

/** Only a reader that stays for long lets it grow so far. */
const alarmBytes = 256 * 2 ** 20;

type LogWatchDeps = { readonly upkeep: StoreUpkeep; readonly log: Log };

/**
 * Keeps the log of commits from growing unseen. The store empties it by itself as it goes, but not
 * what a reader may still want: one that never ends lets it grow for ever.
 */
export class LogWatch {
  readonly #deps: LogWatchDeps;
  #bytes: number | null = null;
  #isAlarmed = false;

  constructor(deps: LogWatchDeps) {
    this.#deps = deps;
  }

  /** Its size at the last look; null before the first. */
  get bytes(): number | null {
    return this.#bytes;
  }

  /** Rejects as the store does. */
  async look(): Promise<void> {
    const { upkeep } = this.#deps;
    this.#bytes = await upkeep.logBytes();
    if (this.#bytes > keptBytesMax) {
      await upkeep.emptyLog();
      this.#bytes = await upkeep.logBytes();
    }
    this.#tell(this.#bytes);
  }

  #tell(logBytes: number): void {
    const { log } = this.#deps;
    if (logBytes > alarmBytes && !this.#isAlarmed) {
      const message =
        "the store's log grows, because something reads the database without an end: " +
        "look for another program that has it open";
      log.warn({ logBytes }, message);
      this.#isAlarmed = true;
    }
    if (logBytes <= keptBytesMax && this.#isAlarmed) {
      log.info({ logBytes }, "the store's log is small again");
      this.#isAlarmed = false;
    }
  }
}
