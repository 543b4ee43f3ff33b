import type { Clock } from "../clock.ts";
import { hasCode } from "../errors.ts";
import type { Lane } from "../queue/lanes.ts";
import type { HoldReason } from "../scheduler/hold-reason.ts";

/** How soon a claim is tried again after one that the store could not write. */
const pauseMs = 5_000;

type ClaimPauseDeps = {
  readonly clock: Clock;
  /** Claims may be tried again. */
  readonly onOver: () => void;
};

/**
 * While the store cannot write a claim, durable jobs stay in their lanes. Without it each of them
 * would be taken out, claimed in vain and put to rest: a backlog of 1,000 went through memory that
 * way in three seconds, and lost its order. Jobs on a socket need no claim on the disk.
 */
export class ClaimPause {
  readonly #deps: ClaimPauseDeps;
  #isOn = false;

  constructor(deps: ClaimPauseDeps) {
    this.#deps = deps;
  }

  /**
   * A claim failed. Answers how long its job shall rest, in ms: on a full disk not at all, since
   * its whole lane waits; a job that was refused for its own sake must not stand before others.
   */
  restMsAfter(cause: unknown): number {
    if (!hasCode(cause, "storage_full")) return pauseMs;
    if (!this.#isOn) this.#begin();
    return 0;
  }

  /** Those of the lanes that are held, by their keys. */
  holds(lanes: Iterable<Lane>): ReadonlyMap<string, HoldReason> {
    const held = this.#isOn ? [...lanes].filter(({ isDurable }) => isDurable) : [];
    return new Map(held.map(({ key }) => [key, { kind: "store-stuck" }]));
  }

  #begin(): void {
    const { clock, onOver } = this.#deps;
    this.#isOn = true;
    clock.after(pauseMs, () => {
      this.#isOn = false;
      onOver();
    });
  }
}
