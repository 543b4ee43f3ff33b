import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Notifier } from "./notifier.ts";

/** How often the manager hears how foreman fares, where it has no watchdog. */
const statusEveryMs = 10_000;

/** Two signs may be late or lost before the manager loses its patience. */
const signsPerPatience = 3;

type LifeSignOptions = {
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly log: Log;
  /** The manager's patience; null: it has no watchdog. */
  readonly watchdogMs: number | null;
  /** What a restart would mend, in words; null: nothing. Never that the target is away. */
  readonly readStandstill: () => string | null;
  /** How foreman fares, in a line. */
  readonly readStatus: () => string;
};

/**
 * Tells the service manager that foreman is ready, then again and again that it lives. The sign
 * comes from the event loop, so that one which stands still gives none; it is withheld while the
 * database or the dispatcher stand still.
 */
export class LifeSign {
  readonly #options: LifeSignOptions;
  readonly #log: Log;
  readonly #stop = new AbortController();
  #told = "";
  #isWithheld = false;

  constructor(options: LifeSignOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "life sign" });
  }

  /** Foreman is ready. Resolves when the manager was told. */
  async start(): Promise<void> {
    const { notifier, readStatus } = this.#options;
    this.#told = readStatus();
    await notifier.notify("READY=1", `STATUS=${this.#told}`);
    void this.#go();
  }

  stop(): void {
    this.#stop.abort();
  }

  async #go(): Promise<void> {
    const { clock, watchdogMs } = this.#options;
    const { signal } = this.#stop;
    const everyMs = watchdogMs === null ? statusEveryMs : watchdogMs / signsPerPatience;
    while (!signal.aborted) {
      await this.#give();
      await clock.sleep(everyMs, signal);
    }
  }

  async #give(): Promise<void> {
    const { notifier, readStandstill, readStatus, watchdogMs } = this.#options;
    const standstill = readStandstill();
    this.#note(standstill);
    const status = standstill ?? readStatus();
    const isNews = status !== this.#told;
    this.#told = status;
    if (watchdogMs !== null && standstill === null) {
      await notifier.notify("WATCHDOG=1", `STATUS=${status}`);
    } else if (isNews) {
      await notifier.notify(`STATUS=${status}`);
    }
  }

  #note(standstill: string | null): void {
    const isWithheld = standstill !== null;
    if (isWithheld && !this.#isWithheld) {
      this.#log.error({ problem: standstill }, "foreman stands still: no sign of life is given");
    }
    if (!isWithheld && this.#isWithheld) this.#log.info("foreman goes on again");
    this.#isWithheld = isWithheld;
  }
}
