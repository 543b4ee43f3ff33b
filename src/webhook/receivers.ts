import type { Delivery } from "../store/outbox.ts";

/** Deliveries under way at once: each may hold an answer of FOREMAN_ANSWER_MAX in memory. */
const underWayMax = 16;

/** To one receiver at once. */
export const perReceiverMax = 4;

/** Of all that may be under way, what receivers that fail may take together. */
const doubtfulMax = underWayMax / 2;

/** A receiver whose last try failed. */
type FailingReceiver = {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Failed tries without a received one between. */
  readonly failures: number;
  readonly problem: string;
};

/**
 * Who is being told something, and who fails. A receiver that failed gets one delivery at a time,
 * until it takes one; and those that fail can never take all room, so that none of them, nor all
 * together, hold up the others.
 */
export class Receivers {
  readonly #underWay = new Map<number, string>();
  /** No longer under way, but an earlier reading may bring them still. */
  readonly #over = new Set<number>();
  readonly #failing = new Map<string, FailingReceiver>();

  get failing(): readonly FailingReceiver[] {
    return [...this.#failing.values()];
  }

  /**
   * A reading of what is due begins. What is over by now it brings no more, so from now on its
   * place is free.
   */
  noteReading(): void {
    for (const seq of this.#over) this.#underWay.delete(seq);
    this.#over.clear();
  }

  /**
   * Which of these to begin with now, in that order; they are under way from now on. The receiver
   * that has the fewest under way comes first, and of equal ones the one whose delivery is the
   * oldest.
   */
  choose(due: readonly Delivery[]): readonly Delivery[] {
    const rest = new Map<string, Delivery[]>();
    for (const delivery of due) {
      if (this.#underWay.has(delivery.seq)) continue;
      const origin = originOf(delivery);
      rest.set(origin, [...(rest.get(origin) ?? []), delivery]);
    }
    const chosen: Delivery[] = [];
    for (;;) {
      const next = this.#next(rest);
      if (next === null) return chosen;
      rest.get(originOf(next))?.shift();
      this.#underWay.set(next.seq, originOf(next));
      chosen.push(next);
    }
  }

  /** A delivery has come to its end, and that is in the store. */
  over({ seq }: Delivery): void {
    this.#over.add(seq);
  }

  /** Nothing is held against its receiver any more. */
  clear(delivery: Delivery): void {
    this.#failing.delete(originOf(delivery));
  }

  noteFailed(delivery: Delivery, problem: string): void {
    const origin = originOf(delivery);
    const failures = (this.#failing.get(origin)?.failures ?? 0) + 1;
    this.#failing.set(origin, { origin, failures, problem });
  }

  #next(rest: ReadonlyMap<string, readonly Delivery[]>): Delivery | null {
    if (this.#underWay.size >= underWayMax) return null;
    const busy = new Map<string, number>();
    let doubtful = 0;
    for (const origin of this.#underWay.values()) {
      busy.set(origin, (busy.get(origin) ?? 0) + 1);
      if (this.#failing.has(origin)) doubtful += 1;
    }
    let best: Delivery | null = null;
    let bestBusy = 0;
    for (const [origin, [head]] of rest) {
      const ownBusy = busy.get(origin) ?? 0;
      const isFull = this.#failing.has(origin)
        ? ownBusy >= 1 || doubtful >= doubtfulMax
        : ownBusy >= perReceiverMax;
      if (head === undefined || isFull) continue;
      if (best && (ownBusy > bestBusy || (ownBusy === bestBusy && head.seq > best.seq))) continue;
      best = head;
      bestBusy = ownBusy;
    }
    return best;
  }
}

/** Scheme, host and port of where a delivery goes. */
export function originOf({ url }: Pick<Delivery, "url">): string {
  return new URL(url).origin;
}
