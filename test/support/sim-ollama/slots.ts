import type { Exchange } from "./exchange.ts";

/** A runner's places: so many requests at once, the rest first come, first served, unbounded. */
export class Slots {
  readonly size: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(size: number) {
    this.size = size;
    this.#free = size;
  }

  /** True when a place was free. */
  tryTake(): boolean {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  /** True once the place is the caller's; false when the client left first. */
  take(exchange: Exchange): Promise<boolean> {
    if (exchange.isGone) return Promise.resolve(false);
    if (this.tryTake()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const serve = () => {
        forget();
        resolve(true);
      };
      this.#waiting.push(serve);
      const forget = exchange.whenGone(() => {
        const at = this.#waiting.indexOf(serve);
        if (at >= 0) this.#waiting.splice(at, 1);
        resolve(false);
      });
    });
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
