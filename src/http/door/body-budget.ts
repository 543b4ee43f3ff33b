import type { ServerResponse } from "node:http";
import { ForemanError } from "../../errors.ts";

/** Soon enough for a client to try again: the bodies of those that wait go with each answer. */
const retryAfterS = 10;

/**
 * The memory that bodies may take together, from their first byte to the end of their answer: those
 * that arrive, those that wait, those that run, and those that are shown again.
 */
export class BodyBudget {
  readonly #bytesMax: number;
  #heldBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * A function that takes more bytes for the request of that response, and gives all back when the
   * response closes. It throws ForemanError `queue_full` when they are not to be had.
   */
  holderFor(outgoing: ServerResponse): (bytes: number) => void {
    let heldBytes = 0;
    let isWatched = false;
    return (bytes) => {
      // It has closed, and does not do so twice.
      if (outgoing.destroyed) return;
      if (this.#heldBytes + bytes > this.#bytesMax) {
        const message = "server busy, please try again.  the bodies of requests fill the memory";
        throw new ForemanError("queue_full", message, { retryAfterS });
      }
      if (!isWatched) {
        outgoing.once("close", () => {
          this.#heldBytes -= heldBytes;
        });
      }
      isWatched = true;
      heldBytes += bytes;
      this.#heldBytes += bytes;
    };
  }
}
