import type { Clock } from "../clock.ts";
import type { Job, JobClass, JobId } from "../job.ts";
import type { Log } from "../log.ts";
import type { Queue, WaitingJob } from "../queue/queue.ts";
import type { HoldReason } from "../scheduler/hold-reason.ts";
import { schedule } from "../scheduler/schedule.ts";
import type { Share } from "../scheduler/share.ts";
import type { ScheduleLimits, Snapshot } from "../scheduler/snapshot.ts";
import type { Store } from "../store/store.ts";
import type { Inventory } from "../target/inventory.ts";
import type { Poller } from "../target/poller.ts";
import type { Target } from "../target/target.ts";
import { Residents } from "./residents.ts";
import { type CutReason, type Outcome, Run, type RunLimits } from "./run-job.ts";
import { takeSnapshot } from "./take-snapshot.ts";
import { Turns } from "./turns.ts";

/**
 * After a generation was cut, its slot stays taken for so long: the target reads the close and the
 * next request from two sockets, in either order, and must not see two generations at once.
 */
const cutGraceMs = 20;

/** A worker that lets nothing through for so long, though it might, is reported by /healthz. */
const stuckMsMax = 30_000;

type Running = {
  readonly waiting: WaitingJob;
  readonly attempt: number;
  readonly run: Run;
  readonly startedAtMs: number;
};

type DispatcherOptions = {
  readonly queue: Queue;
  readonly store: Store;
  readonly target: Target;
  readonly inventory: Inventory;
  readonly poller: Poller;
  readonly share: Readonly<Record<JobClass, Share>>;
  readonly clock: Clock;
  readonly log: Log;
  readonly scheduleLimits: ScheduleLimits;
  readonly runLimits: RunLimits;
};

/** The worker loop: wake → snapshot → schedule → claim → run → settle. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #log: Log;
  readonly #running = new Map<JobId, Running>();
  readonly #residents = new Residents();
  readonly #turns = new Turns();
  #holds: ReadonlyMap<string, HoldReason> = new Map();
  #isTicking = false;
  #isWoken = false;
  #stuckSinceMs: number | null = null;
  #idle = Promise.withResolvers<void>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "dispatcher" });
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Why the heads of the lanes were not let through at the last turn, by lane key. */
  get holds(): ReadonlyMap<string, HoldReason> {
    return this.#holds;
  }

  /** What is wrong with the loop, in words; null while it does its work. */
  get problem(): string | null {
    if (this.#stuckSinceMs === null) return null;
    const stuckMs = this.#options.clock.monotonicMs() - this.#stuckSinceMs;
    if (stuckMs < stuckMsMax) return null;
    return `work waits and nothing runs for ${Math.round(stuckMs / 1_000)} s: restart foreman`;
  }

  /**
   * Lets through what may run now. Called whenever something changed; a call from inside a turn is
   * remembered and makes another turn.
   */
  tick(): void {
    this.#isWoken = true;
    if (this.#isTicking) return;
    this.#isTicking = true;
    try {
      while (this.#isWoken) {
        this.#isWoken = false;
        this.#turn();
      }
    } finally {
      this.#isTicking = false;
    }
  }

  /** Cuts what runs. */
  cutAll(why: CutReason): void {
    for (const { run } of [...this.#running.values()]) run.cut(why);
  }

  /** Resolves when nothing runs any more. */
  idle(): Promise<void> {
    return this.#running.size === 0 ? Promise.resolve() : this.#idle.promise;
  }

  #turn(): void {
    const holds = new Map<string, HoldReason>();
    for (const decision of schedule(this.#snapshot(), this.#options.scheduleLimits)) {
      if (decision.kind === "hold") {
        holds.set(decision.laneKey, decision.reason);
        continue;
      }
      this.#start(decision.jobId);
      // A lane shows its head alone: the next one in it is seen in another turn.
      this.#isWoken = true;
    }
    this.#holds = holds;
    this.#noteStuck();
  }

  #snapshot(): Snapshot {
    const running = [...this.#running.values()].map(({ waiting }) => waiting.job);
    return takeSnapshot({
      ...this.#options,
      running,
      residents: this.#residents,
      turns: this.#turns,
    });
  }

  #noteIdle(): void {
    if (this.#running.size > 0) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }

  /** Something waits, the target is there, and still nothing runs: the rules never want that. */
  #noteStuck(): void {
    const { clock, poller, queue } = this.#options;
    const isIdle = this.#running.size === 0 && queue.depth > 0 && !queue.isDraining;
    if (!isIdle || poller.state.presence !== "present") this.#stuckSinceMs = null;
    else this.#stuckSinceMs ??= clock.monotonicMs();
  }

  #start(id: JobId): void {
    const { clock, poller, queue, runLimits, store, target } = this.#options;
    const waiting = queue.take(id, (why) => this.#running.get(id)?.run.cut(why));
    if (waiting === null) return;
    const { job } = waiting;
    waiting.attempts += 1;
    waiting.lastAttempt += 1;
    const attempt = waiting.lastAttempt;
    this.#log.info({ jobId: id, model: job.model, attempt }, "job claimed");
    this.#record(id, "claim", store.claim(id, attempt, clock.wallMs()));
    this.#turns.noteStart(job, clock.monotonicMs());
    const run = new Run(waiting, {
      target,
      clock,
      limits: runLimits,
      lastLoadedChangeMs: () => poller.loadedChangedAtMs,
      onWorking: (isError) => this.#noteWorking(waiting, attempt, isError),
      onOutcome: (outcome) => this.#conclude(id, outcome),
    });
    this.#running.set(id, { waiting, attempt, run, startedAtMs: clock.monotonicMs() });
    run.start();
  }

  #noteWorking({ job }: WaitingJob, attempt: number, isError: boolean): void {
    const { inventory, poller, store } = this.#options;
    this.#log.debug({ jobId: job.id }, "job working");
    this.#record(job.id, "working", store.markWorking(job.id, attempt));
    // An error says nothing of what is loaded.
    if (!isError) this.#residents.noteWorking(job.runnerKey, inventory.loadedReadings);
    void poller.refreshLoaded();
  }

  #conclude(id: JobId, outcome: Outcome): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    if (outcome.kind === "put-back") {
      this.#putBack(running, outcome);
      return;
    }
    this.#settle(running, outcome);
    const { clock, share } = this.#options;
    const { job } = running.waiting;
    // Who happens to need a swap does not pay for it.
    const gpuMs = clock.monotonicMs() - running.startedAtMs - (outcome.loadMs ?? 0);
    share[job.class].charge(job, Math.max(0, gpuMs));
    if (running.run.wasCut) clock.after(cutGraceMs, () => this.#free(job));
    else this.#free(job);
  }

  #putBack(running: Running, { failure, putBack }: Extract<Outcome, { kind: "put-back" }>): void {
    const { poller, queue, store } = this.#options;
    const { attempt, waiting } = running;
    const { id } = waiting.job;
    this.#log.warn({ jobId: id, attempt, problem: failure.message }, "job put back");
    this.#record(id, "put back", store.putBack(id, attempt, putBack));
    if (!putBack.counted) waiting.attempts -= 1;
    this.#running.delete(id);
    if (failure.kind === "unreachable") poller.noteUnreachable(failure.message);
    else poller.noteLost();
    queue.putBack(waiting);
    this.#noteIdle();
  }

  #settle({ attempt, waiting }: Running, outcome: Extract<Outcome, { kind: "ended" }>): void {
    const { clock, store } = this.#options;
    const { id, runnerKey } = waiting.job;
    const { ending, loadMs } = outcome;
    this.#residents.noteLoad(runnerKey, loadMs);
    const facts = { jobId: id, attempt, reason: ending.reason, statusCode: ending.statusCode };
    this.#log.info(facts, `job ${ending.state}`);
    this.#record(id, "end", store.settle(id, attempt, ending, clock.wallMs()));
  }

  #free(job: Job): void {
    const { poller, queue } = this.#options;
    this.#running.delete(job.id);
    queue.release(job);
    this.tick();
    void poller.refreshLoaded();
    this.#noteIdle();
  }

  /** Rows of synchronous jobs are written behind: what fails is told, and hinders nobody. */
  #record(id: JobId, what: string, written: Promise<unknown>): void {
    written.catch((cause: unknown) => {
      this.#log.error({ jobId: id, what, err: cause }, "job's row not written");
    });
  }
}
