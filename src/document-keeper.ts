import type { z } from "zod";
import type { Clock, Timer } from "./clock.ts";
import { type Memory, recallDocument } from "./kept-document.ts";
import type { Log } from "./log.ts";

/** How often it is written down: a crash loses no more of it. */
const keepEveryMs = 60_000;

type DocumentKeeperOptions<Shape extends z.ZodType> = {
  /** Under which it is kept, and which the log tells it by. */
  readonly name: string;
  readonly shape: Shape;
  /** The document as it stands, such as `shape` takes in. */
  readonly read: () => object;
  /** Takes in what an earlier life kept. */
  readonly restore: (kept: z.output<Shape>) => void;
  readonly memory: Memory;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Carries a document that changes all the time from one life into the next: written down once a
 * minute, if it has changed, and at the end. What cannot be read or written is told and done
 * without: such a document is worth no start and no stop.
 */
export class DocumentKeeper<Shape extends z.ZodType> {
  readonly #options: DocumentKeeperOptions<Shape>;
  /** As it was last written down. */
  #keptText = "";
  #timer: Timer | null = null;

  constructor(options: DocumentKeeperOptions<Shape>) {
    this.#options = options;
  }

  /** Brings back what an earlier life wrote down. Rejects as `Store.recall`. */
  async recall(): Promise<void> {
    const { log, memory, name, restore, shape } = this.#options;
    const kept = await recallDocument(memory, name, shape, (cause) =>
      log.warn({ err: cause, document: name }, "document not readable: it begins anew"),
    );
    if (kept !== null) restore(kept);
  }

  start(): void {
    this.#timer = this.#options.clock.after(keepEveryMs, () => {
      void this.#keep();
      this.start();
    });
  }

  /** Resolves when it was written down for the last time, or could not be. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#keep();
  }

  async #keep(): Promise<void> {
    const { log, memory, name, read } = this.#options;
    const text = JSON.stringify(read());
    if (text === this.#keptText) return;
    try {
      await memory.remember(name, Buffer.from(text));
      this.#keptText = text;
    } catch (cause) {
      log.warn({ err: cause, document: name }, "document not written down");
    }
  }
}
