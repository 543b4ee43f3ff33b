/**
 * Runs `ask` on request, one at a time. A request made while it runs begins another run after it,
 * since what changed may have been read already; any number of such requests share that one.
 */
export class Refresher {
  readonly #ask: () => Promise<void>;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  /** `ask` must not reject. */
  constructor(ask: () => Promise<void>) {
    this.#ask = ask;
  }

  /** What is under way or about to be, whichever is last; null when there is nothing. */
  get pending(): Promise<void> | null {
    return this.#next ?? this.#running;
  }

  /** Resolves after a run that began after this call. */
  refresh(): Promise<void> {
    if (this.#running === null) {
      this.#running = this.#ask().finally(() => {
        this.#running = null;
      });
      return this.#running;
    }
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.refresh();
    });
    return this.#next;
  }
}
