import type { Job, JobClass, JobId } from "../job.ts";
import { Share } from "../scheduler/share.ts";
import type { Runners } from "../target/runners.ts";

type Claim = {
  readonly class: JobClass;
  readonly client: string;
  readonly loadKey: string;
  readonly runnerKey: string;
};

/**
 * The fair-share accounts of both classes, each job's where its runner's are. When a load key comes
 * to mean another runner, its jobs move, and begin even there: what is owed on one runner says
 * nothing on another.
 */
export class Accounts {
  readonly #runners: Runners;
  readonly #shares: Readonly<Record<JobClass, Share>>;
  /** Every job that waits in memory or runs. */
  readonly #claims = new Map<JobId, Claim>();
  #revision = 0;

  /** `weightOf`: see `Share`. */
  constructor(runners: Runners, weightOf: (client: string) => number = () => 1) {
    this.#shares = { interactive: new Share({ weightOf }), batch: new Share({ weightOf }) };
    this.#runners = runners;
  }

  /** A job begins to wait: once per job, not again when it is put back. */
  joined({ class: jobClass, client, id, loadKey }: Job): void {
    this.#follow();
    this.#enter(id, { class: jobClass, client, loadKey, runnerKey: this.#runners.keyOf(loadKey) });
  }

  /** A job neither waits nor runs any more: once per job, after its last `charge`. */
  left({ id }: Job): void {
    const claim = this.#claims.get(id);
    this.#claims.delete(id);
    if (claim !== undefined) this.#shares[claim.class].left(claim);
  }

  /** A job has used `gpuMs`, loading not counted. */
  charge({ id }: Job, gpuMs: number): void {
    this.#follow();
    const claim = this.#claims.get(id);
    if (claim !== undefined) this.#shares[claim.class].charge(claim, gpuMs);
  }

  /** See `Share`; of a runner as the load keys stand now. */
  deficitMs(claim: Omit<Claim, "loadKey">): number {
    this.#follow();
    return this.#shares[claim.class].deficitMs(claim);
  }

  /** See `Share`. */
  weightOf(claim: Omit<Claim, "loadKey">): number {
    this.#follow();
    return this.#shares[claim.class].weightOf(claim);
  }

  #follow(): void {
    if (this.#revision === this.#runners.revision) return;
    this.#revision = this.#runners.revision;
    for (const [id, claim] of this.#claims) {
      const runnerKey = this.#runners.keyOf(claim.loadKey);
      if (runnerKey === claim.runnerKey) continue;
      this.#shares[claim.class].left(claim);
      this.#enter(id, { ...claim, runnerKey });
    }
  }

  #enter(id: JobId, claim: Claim): void {
    this.#claims.set(id, claim);
    this.#shares[claim.class].joined(claim);
  }
}
