import type { Fault, FaultRule } from "./fault.ts";

/** A rule that was laid down, to be released or taken away again. */
export type FaultHandle = {
  readonly id: number;
  /** How often it has struck. */
  readonly hitCount: number;
  /** Lets every request go on that this rule stalls, and stalls no more. */
  release(): void;
  /** Releases, and matches nothing from now on. */
  remove(): void;
};

/** A fault that struck one request. */
export type Strike = {
  readonly fault: Fault;
  /** Resolves when the rule is released; at once if it was already. */
  readonly released: Promise<void>;
};

export type FaultSubject = {
  readonly route: string;
  readonly method: string;
  readonly model: string | null;
  readonly atHead: boolean;
};

class LaidRule implements FaultHandle {
  readonly id: number;
  readonly rule: FaultRule;
  readonly released: Promise<void>;
  #letGo: () => void = () => {};
  #matchCount = 0;
  hitCount = 0;
  isRemoved = false;

  constructor(id: number, rule: FaultRule) {
    this.id = id;
    this.rule = rule;
    this.released = new Promise((resolve) => {
      this.#letGo = resolve;
    });
  }

  /** Counts the match as well: the nth request is counted among those that match. */
  strikes(subject: FaultSubject): boolean {
    const { route, method, model, nth, times, atHead } = this.rule;
    if (this.isRemoved || (atHead ?? false) !== subject.atHead) return false;
    if (route !== undefined && route !== subject.route) return false;
    if (method !== undefined && method !== subject.method) return false;
    if (model !== undefined && model !== subject.model) return false;
    this.#matchCount += 1;
    if (nth !== undefined && this.#matchCount !== nth) return false;
    if (times !== undefined && this.hitCount >= times) return false;
    this.hitCount += 1;
    return true;
  }

  release(): void {
    this.#letGo();
  }

  remove(): void {
    this.isRemoved = true;
    this.#letGo();
  }
}

/** The faults on command; the first rule that matches a request strikes, and only that one. */
export class FaultRules {
  #rules: LaidRule[] = [];
  #lastId = 0;

  fail(rule: FaultRule): FaultHandle {
    this.#lastId += 1;
    const laid = new LaidRule(this.#lastId, rule);
    this.#rules.push(laid);
    return laid;
  }

  find(id: number): FaultHandle | null {
    return this.#rules.find((laid) => laid.id === id) ?? null;
  }

  strike(subject: FaultSubject): Strike | null {
    // Without rules nothing is matched: benchmarks pass here once per request.
    if (this.#rules.length === 0) return null;
    const laid = this.#rules.find((each) => each.strikes(subject));
    return laid === undefined ? null : { fault: laid.rule.fault, released: laid.released };
  }

  /** Removes all, releasing what they stall. */
  clear(): void {
    for (const laid of this.#rules) laid.remove();
    this.#rules = [];
  }
}
