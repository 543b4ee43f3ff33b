import assert from "node:assert/strict";

type Account = {
  readonly weight: number;
  /** Jobs that wait or run. */
  jobs: number;
  /** GPU time by weight, counted from where the common clock stood when the client joined. */
  usedMs: number;
};

/**
 * The fair-share accounts of the clients that compete for one runner in one class: what each has
 * had of the GPU against what its weight entitles it to (virtual time, as in weighted fair
 * queueing).
 *
 * Holds one account per client with a job, so it is bounded by the queue.
 */
export class RunnerShare {
  readonly #weightOf: (client: string) => number;
  readonly #accounts = new Map<string, Account>();
  /** What a client of weight 1 would have had so far if all had been served at once by weight. */
  #dueMs = 0;
  #weights = 0;

  /** `weightOf` is asked when a client joins and answers more than 0. */
  constructor(deps: { readonly weightOf: (client: string) => number }) {
    this.#weightOf = deps.weightOf;
  }

  /** Whether no client has a job here, so that this may be dropped. */
  get isEmpty(): boolean {
    return this.#accounts.size === 0;
  }

  /** A job of `client` begins to wait. A newcomer starts even: its idle time earned nothing. */
  joined(client: string): void {
    const known = this.#accounts.get(client);
    if (known) {
      known.jobs += 1;
      return;
    }
    const weight = this.#weightOf(client);
    assert.ok(weight > 0 && Number.isFinite(weight), `weight of ${client} must be positive`);
    this.#accounts.set(client, { weight, jobs: 1, usedMs: this.#dueMs });
    this.#weights += weight;
  }

  /** A job of `client` has ended, run or not. With its last one the account is forgotten. */
  left(client: string): void {
    const account = this.#account(client);
    account.jobs -= 1;
    if (account.jobs > 0) return;
    this.#accounts.delete(client);
    if (this.#accounts.size === 0) {
      // Sums of fractions drift; an empty one begins anew.
      this.#weights = 0;
      this.#dueMs = 0;
      return;
    }
    this.#weights -= account.weight;
    this.#catchUp();
  }

  /**
   * `client` has used `gpuMs` of the GPU: call it before `left`. A long job may be charged in
   * parts while it runs.
   */
  charge(client: string, gpuMs: number): void {
    assert.ok(gpuMs >= 0 && Number.isFinite(gpuMs), "charged time must be finite and not negative");
    const account = this.#account(client);
    account.usedMs += gpuMs / account.weight;
    this.#dueMs += gpuMs / this.#weights;
    this.#catchUp();
  }

  /**
   * GPU time, divided by its weight, that `client` is owed (negative: it had more than its
   * share). Comparable between the clients of one runner alone; 0 for one without a job.
   */
  deficitMs(client: string): number {
    const account = this.#accounts.get(client);
    return account ? this.#dueMs - account.usedMs : 0;
  }

  /** As it was when the client joined; 1 for one without a job. */
  weightOf(client: string): number {
    return this.#accounts.get(client)?.weight ?? 1;
  }

  /**
   * When clients leave with time owed to them, the clock falls behind everyone who stays, and
   * newcomers would go before them all. So it never stands below the least that anyone has had;
   * hence whoever is picked is owed 0 or more, and no debt exceeds what was uncharged at the pick.
   */
  #catchUp(): void {
    let leastMs = Number.POSITIVE_INFINITY;
    for (const { usedMs } of this.#accounts.values()) leastMs = Math.min(leastMs, usedMs);
    this.#dueMs = Math.max(this.#dueMs, leastMs);
  }

  #account(client: string): Account {
    const account = this.#accounts.get(client);
    assert.ok(account, `client ${client} has no job on this runner`);
    return account;
  }
}
