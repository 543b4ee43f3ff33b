import type { Exchange } from "./exchange.ts";

/** The sim's only waiting. All times given to it are scaled, so a test can run faster or slower. */
export class Pace {
  readonly #timeScale: number;

  constructor(timeScale: number) {
    this.#timeScale = timeScale;
  }

  scaledMs(ms: number): number {
    return ms * this.#timeScale;
  }

  /** Waits, but no longer than the client does. Zero gives the other sockets a turn. */
  sleep(ms: number, exchange: Exchange): Promise<void> {
    return this.rest(this.scaledMs(ms), exchange);
  }

  /** As `sleep`, for a time that was scaled already. */
  rest(ms: number, exchange: Exchange): Promise<void> {
    if (exchange.isGone) return Promise.resolve();
    if (ms <= 0) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => {
      const forget = exchange.whenGone(() => {
        clearTimeout(timer);
        resolve();
      });
      const timer = setTimeout(() => {
        forget();
        resolve();
      }, ms);
    });
  }
}
