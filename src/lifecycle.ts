import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

/** A part of the daemon with a life. */
export type Part = {
  readonly name: string;
  start?(): Promise<void> | void;
  /** Returns only when done; called at most once. */
  stop(): Promise<void> | void;
};

export type Phase = "starting" | "serving" | "draining" | "stopped";

/** A part that has not stopped by then is an orphan: the process exits without it. */
const stopTimeoutMs = 10_000;

type LifecycleOptions = {
  readonly parts: readonly Part[];
  /** Lets the work under way come to its end; resolves at its own deadline at the latest. */
  readonly drain: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
};

/** Starts the parts in order, and stops them in reverse. */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #started: Part[] = [];
  #phase: Phase = "starting";
  #stopping: Promise<readonly string[]> | null = null;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Starts every part; if one fails, stops those that had started and throws its error. */
  async start(): Promise<void> {
    for (const part of this.#options.parts) {
      // Before its start: a part whose start failed half way has something to stop as well.
      this.#started.push(part);
      try {
        await part.start?.();
      } catch (cause) {
        await this.#stopParts();
        this.#phase = "stopped";
        throw cause;
      }
    }
    this.#phase = "serving";
  }

  /**
   * Drains, then stops everything. Idempotent: later calls join the first.
   *
   * @returns the names of the parts that did not stop, or failed to
   */
  stop(): Promise<readonly string[]> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<readonly string[]> {
    this.#phase = "draining";
    await this.#options.drain();
    const orphans = await this.#stopParts();
    this.#phase = "stopped";
    return orphans;
  }

  async #stopParts(): Promise<readonly string[]> {
    const orphans: string[] = [];
    for (const part of this.#started.toReversed()) {
      if (!(await this.#stopOne(part))) orphans.push(part.name);
    }
    this.#started.length = 0;
    return orphans;
  }

  async #stopOne(part: Part): Promise<boolean> {
    const { clock, log } = this.#options;
    const stop = async () => {
      try {
        await part.stop();
        return true;
      } catch (cause) {
        log.error({ part: part.name, err: cause }, "part failed to stop");
        return false;
      }
    };
    return await Promise.race([stop(), clock.sleep(stopTimeoutMs).then(() => false)]);
  }
}
