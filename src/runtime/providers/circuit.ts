import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhenResult,
} from "cockatiel";
import type { Clock } from "../../clock.ts";
import type { Attempt } from "./attempt.ts";

/** So many outages in a row open the circuit. */
const outagesMax = 5;

/** The endpoint is left alone for so long; then one more outage opens the circuit again. */
const openMs = 15_000;

type CircuitOptions = {
  readonly clock: Clock;
  readonly onOpen: () => void;
};

/** Keeps a hosted endpoint that is down from being asked by everyone. */
export class Circuit {
  readonly #clock: Clock;
  readonly #breaker: CircuitBreakerPolicy;
  #openedAtMs = 0;

  constructor({ clock, onOpen }: CircuitOptions) {
    this.#clock = clock;
    this.#breaker = circuitBreaker(handleWhenResult(isOutage), {
      breaker: new ConsecutiveBreaker(outagesMax),
      // By the wall clock, which may be set back by hours: see `#closeIfDue`.
      halfOpenAfter: Number.MAX_SAFE_INTEGER,
    });
    this.#breaker.onBreak((why) => {
      if ("isolated" in why) return;
      this.#openedAtMs = clock.monotonicMs();
      onOpen();
    });
  }

  get isOpen(): boolean {
    this.#closeIfDue();
    return this.#breaker.state === CircuitState.Open;
  }

  /** Tries, unless the circuit is open: then null. */
  async try(attempt: () => Promise<Attempt>): Promise<Attempt | null> {
    this.#closeIfDue();
    try {
      return await this.#breaker.execute(attempt);
    } catch (cause) {
      if (cause instanceof BrokenCircuitError) return null;
      throw cause;
    }
  }

  /** Closing in this way leaves the count where it is: the next outage is one too many again. */
  #closeIfDue(): void {
    const openForMs = this.#clock.monotonicMs() - this.#openedAtMs;
    if (this.#breaker.state !== CircuitState.Open || openForMs < openMs) return;
    this.#breaker.isolate().dispose();
  }
}

/** The library hands results on as unknown. */
function isOutage(result: unknown): boolean {
  const isObject = typeof result === "object" && result !== null;
  return isObject && "isOutage" in result && result.isOutage === true;
}
