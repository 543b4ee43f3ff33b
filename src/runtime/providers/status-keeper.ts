import type { Clock } from "../../clock.ts";
import type { ProviderStatus } from "./provider.ts";

/** A provider that was away is there again when it has answered for so long. */
const returnMs = 5_000;

/** It is online again when nothing has been wrong for so long. */
const steadyMs = 30_000;

/** Fewer requests than this say nothing about their rate of errors. */
const samplesMin = 4;

/** From the upper rate on it is degraded, and no more below the lower one. */
const errorRates = { upper: 0.25, lower: 0.1 };

/** Of the requests made lately. */
export type ErrorRate = { readonly rate: number; readonly samples: number };

/**
 * A provider's status, with hysteresis: bad news counts at once, good news when it has lasted, so
 * that what comes and goes does not make the status come and go.
 *
 * 1. Away, or not heard of yet → offline.
 * 2. Returned less than 5 s ago → offline. The first time that it is seen there is no return.
 * 3. Returned less than 30 s ago → degraded.
 * 4. A quarter of the requests failed, and since then there was no time at which less than a tenth
 *    had failed and none for 30 s → degraded.
 * 5. Else online.
 */
export class StatusKeeper {
  readonly #clock: Clock;
  #presence: "unknown" | "away" | "there" = "unknown";
  /** Monotonic ms; null if it was never away. */
  #returnedAtMs: number | null = null;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #isFailing = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  noteAway(): void {
    this.#presence = "away";
  }

  noteThere(): void {
    if (this.#presence === "away") this.#returnedAtMs = this.#clock.monotonicMs();
    this.#presence = "there";
  }

  /** A request failed; `errors` counts it. */
  noteFailed(errors: ErrorRate): void {
    this.#failedAtMs = this.#clock.monotonicMs();
    if (errors.samples >= samplesMin && errors.rate >= errorRates.upper) this.#isFailing = true;
  }

  status(errors: ErrorRate): ProviderStatus {
    const nowMs = this.#clock.monotonicMs();
    const thereMs = nowMs - (this.#returnedAtMs ?? Number.NEGATIVE_INFINITY);
    const calmMs = nowMs - this.#failedAtMs;
    if (errors.rate < errorRates.lower && calmMs >= steadyMs) this.#isFailing = false;
    // 1. and 2.
    if (this.#presence !== "there" || thereMs < returnMs) return "offline";
    // 3. and 4.
    if (thereMs < steadyMs || this.#isFailing) return "degraded";
    // 5.
    return "online";
  }
}
