/** A worker that lets nothing through for so long, though it might, is reported by /healthz. */
const stuckMsMax = 30_000;

/** Watches for what the scheduler's rules never want: work that waits while nothing runs. */
export class Idleness {
  #sinceMs: number | null = null;

  note(isIdleForNoReason: boolean, nowMs: number): void {
    if (isIdleForNoReason) this.#sinceMs ??= nowMs;
    else this.#sinceMs = null;
  }

  /** What is wrong, in words; null while nothing is. */
  problem(nowMs: number): string | null {
    const idleMs = this.#sinceMs === null ? 0 : nowMs - this.#sinceMs;
    if (idleMs < stuckMsMax) return null;
    return `work waits and nothing runs for ${Math.round(idleMs / 1_000)} s: restart foreman`;
  }
}
