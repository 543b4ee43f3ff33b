import assert from "node:assert/strict";
import { RunnerShare } from "./runner-share.ts";

/** Who uses what: a Job is one, and so is a lane. */
type Claim = { readonly runnerKey: string; readonly client: string };

/**
 * The fair-share accounts of one class: which client is owed GPU time, and which has had too much.
 *
 * They are kept apart by runner, because only on one runner do clients compete by deficit; between
 * runners the turns of schedule.ts decide. With common accounts a client that is alone on its
 * runner would run up hours of debt that nobody there collects, and then starve as soon as a
 * second client joined it.
 *
 * Forgets a client with its last job on a runner, and a runner with its last client.
 */
export class Share {
  readonly #weightOf: (client: string) => number;
  readonly #runners = new Map<string, RunnerShare>();

  /** `weightOf` is asked when a client joins and answers more than 0; all are equal by default. */
  constructor(deps: { readonly weightOf?: (client: string) => number } = {}) {
    this.#weightOf = deps.weightOf ?? (() => 1);
  }

  /** A job begins to wait: once per job, not again when it is put back. */
  joined({ runnerKey, client }: Claim): void {
    const known = this.#runners.get(runnerKey);
    const runner = known ?? new RunnerShare({ weightOf: this.#weightOf });
    runner.joined(client);
    if (!known) this.#runners.set(runnerKey, runner);
  }

  /** A job neither waits nor runs any more: once per job, after its last `charge`. */
  left({ runnerKey, client }: Claim): void {
    const runner = this.#runner(runnerKey);
    runner.left(client);
    if (runner.isEmpty) this.#runners.delete(runnerKey);
  }

  /** A job of this client has used `gpuMs`, loading not counted. May come in parts. */
  charge({ runnerKey, client }: Claim, gpuMs: number): void {
    this.#runner(runnerKey).charge(client, gpuMs);
  }

  /**
   * Milliseconds of GPU time, divided by its weight, that the client is owed on this runner;
   * negative when it had more than its share, 0 when it has no job there.
   */
  deficitMs({ runnerKey, client }: Claim): number {
    return this.#runners.get(runnerKey)?.deficitMs(client) ?? 0;
  }

  /** The weight by which the client is charged on this runner; 1 for one without a job there. */
  weightOf({ runnerKey, client }: Claim): number {
    return this.#runners.get(runnerKey)?.weightOf(client) ?? 1;
  }

  #runner(runnerKey: string): RunnerShare {
    const runner = this.#runners.get(runnerKey);
    assert.ok(runner, `nobody has a job on runner ${runnerKey}`);
    return runner;
  }
}
