import { ForemanError } from "../errors.ts";
import type { Job, JobId } from "../job.ts";
import type { Log } from "../log.ts";
import { nextAttempt } from "../queue/lanes.ts";
import type { HoldReason } from "../scheduler/hold-reason.ts";
import { isClientFull, type Start, schedule } from "../scheduler/schedule.ts";
import { ClaimPause } from "./claim-pause.ts";
import type { CutReason } from "./cuts.ts";
import type { DispatcherOptions } from "./dispatcher-options.ts";
import { Idleness } from "./idleness.ts";
import { Ledger } from "./ledger.ts";
import { Loop } from "./loop.ts";
import { Measures } from "./measures.ts";
import { lanesOfMissing } from "./missing-models.ts";
import { Outlook } from "./outlook.ts";
import { type Outcome, Run } from "./run-job.ts";
import { type Running, Slots } from "./slots.ts";
import { timesOf } from "./times-of.ts";
import { Turns } from "./turns.ts";

/**
 * After a generation was cut, its slot stays taken for so long: the target reads the close and the
 * next request from two sockets, in either order, and must not see two generations at once.
 */
const cutGraceMs = 20;

/** The worker loop: wake → snapshot → schedule → claim → run → settle. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #log: Log;
  readonly #slots: Slots;
  readonly #measures: Measures;
  readonly #outlook: Outlook;
  readonly #turns = new Turns();
  readonly #idleness = new Idleness();
  readonly #ledger: Ledger;
  readonly #pause: ClaimPause;
  #holds: ReadonlyMap<string, HoldReason> = new Map();
  /** Resolves when the durable job that was let through last is sent: so long the GPU may idle. */
  #starting: Promise<void> = Promise.resolve();
  readonly #loop = new Loop(() => this.#turn());
  #turnedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "dispatcher" });
    this.#ledger = new Ledger({ ...options, log: this.#log });
    this.#slots = new Slots(options);
    this.#measures = new Measures(options);
    const known = { slots: this.#slots, turns: this.#turns, measures: this.#measures };
    this.#outlook = new Outlook({ ...options, ...known });
    this.#pause = new ClaimPause({ clock: options.clock, onOver: () => this.tick() });
  }

  get runningCount(): number {
    return this.#slots.size;
  }

  /** What runs, why the head of each lane (by its key) is held, and what was measured. */
  get view() {
    const { all: running, busyMs } = this.#slots;
    return { running, busyMs, holds: this.#holds, measures: this.#measures };
  }

  /** In how many ms the job at `position` (from 1) of a lane should start; null: unknown. */
  startsInMs(laneKey: string, position: number): number | null {
    return this.#outlook.startsInMs(laneKey, position);
  }

  /** What is wrong with the loop, in words; null while it does its work. */
  get problem(): string | null {
    return this.#idleness.problem(this.#options.clock.monotonicMs());
  }

  /** Monotonic ms at which the loop last came to the end of a turn. */
  get turnedAtMs(): number {
    return this.#turnedAtMs;
  }

  /** Lets through what may run now. Called whenever something changed. */
  tick(): void {
    this.#loop.ask();
  }

  /** Cuts what runs. */
  cutAll(why: CutReason): void {
    for (const { run } of this.#slots.all) run.cut(why);
  }

  /** Resolves when nothing runs any more, and what has ended is written down. */
  async idle(): Promise<void> {
    await this.#slots.idle();
    await this.#ledger.idle();
  }

  #turn(): void {
    const { clock, poller, preemptWithinMs, queue, scheduleLimits } = this.#options;
    const limits = { slots: scheduleLimits.slots, withinMs: preemptWithinMs };
    const missing = lanesOfMissing(queue.lanes(), this.#options);
    const kept = new Map([...missing, ...this.#pause.holds(queue.lanes())]);
    const holds = new Map<string, HoldReason>();
    let isStarted = false;
    const snapshot = this.#outlook.snapshot(kept);
    // Nobody makes way for a person whose turn cannot come.
    const people = snapshot.lanes.filter(
      (lane) => lane.class === "interactive" && lane.pause === null,
    );
    const mayStart = people.some((lane) => !isClientFull(lane, snapshot));
    let isMovable = false;
    for (const decision of schedule(snapshot, scheduleLimits)) {
      if (decision.kind === "hold") {
        holds.set(decision.laneKey, decision.reason);
        isMovable ||= decision.reason.kind !== "paused";
        continue;
      }
      this.#start(decision, mayStart);
      isStarted = true;
    }
    this.#holds = new Map([...kept, ...holds]);
    // A lane shows its head alone: the next one in it is seen in another turn.
    if (isStarted) this.#loop.ask();
    else this.#slots.makeWay(people, clock.monotonicMs(), limits);
    const mayRun = poller.state.presence === "present" && !queue.isDraining;
    const isIdle = this.#slots.size === 0 && isMovable;
    this.#turnedAtMs = clock.monotonicMs();
    this.#idleness.note(mayRun && isIdle, this.#turnedAtMs);
  }

  #start({ isSwap, jobId: id }: Start, arePeopleWaiting: boolean): void {
    const { clock, poller, queue, random, runLimits, runners, target } = this.#options;
    const waiting = queue.take(id, (why) => this.#slots.get(id)?.run.cut(why));
    if (waiting === null) return;
    const { job } = waiting;
    const wasDue = job.class === "batch" && arePeopleWaiting;
    const attempt = nextAttempt(waiting);
    this.#log.info({ jobId: id, model: job.model, attempt }, "job claimed");
    const loadKey = runners.pin(job.loadKey);
    const turn = { class: job.class, runnerKey: runners.keyOf(loadKey) };
    this.#turns.noteStart(turn, clock.monotonicMs());
    const run = new Run(waiting, {
      ...{ target, clock, random },
      limits: runLimits,
      lastLoadedChangeMs: () => poller.loadedChangedAtMs,
      onWorking: (isError) => this.#noteWorking(running, isError),
      onOutcome: (outcome) => this.#conclude(id, outcome),
    });
    const facts = { waiting, loadKey, attempt, run, wasDue, isSwap };
    const running: Running = {
      ...facts,
      previousLoadKey: this.#measures.residents.latest,
      startedAtMs: clock.monotonicMs(),
    };
    this.#slots.take(running);
    if (job.isDurable) {
      this.#starting = this.#startDurable(running);
      return;
    }
    this.#ledger.claim(id, attempt);
    run.start(waiting.body ?? Buffer.alloc(0));
  }

  /** A durable job is sent when its claim is written: no death leaves a start uncounted. */
  async #startDurable({ attempt, run, waiting }: Running): Promise<void> {
    const { queue } = this.#options;
    const { job } = waiting;
    try {
      const body = await this.#ledger.claimDurable(waiting, attempt);
      if (body !== null) {
        run.start(body);
        return;
      }
      this.#log.warn({ jobId: job.id }, "job was not there to be run");
      waiting.waiter.refuse(new ForemanError("cancelled", "the job is no longer there"));
      queue.release(job);
    } catch (cause) {
      // Nothing was sent, and a row that was written is recovered.
      this.#log.error({ jobId: job.id, err: cause }, "job not claimed; tried again later");
      waiting.attempts -= 1;
      queue.putBack(waiting, this.#pause.restMsAfter(cause));
    }
    this.#free(job);
  }

  #noteWorking({ attempt, loadKey, waiting: { job } }: Running, isError: boolean): void {
    const { inventory, poller } = this.#options;
    this.#log.debug({ jobId: job.id }, "job working");
    this.#ledger.working(job.id, attempt);
    // An error says nothing of what is loaded.
    if (isError) return;
    const isNew = this.#measures.noteWorking(loadKey, inventory.loadedReadings);
    if (isNew) void poller.refreshLoaded();
  }

  #conclude(id: JobId, outcome: Outcome): void {
    const running = this.#slots.get(id);
    if (running === undefined) return;
    if (outcome.kind === "ended") this.#end(running, outcome);
    else this.#putBack(running, outcome);
  }

  #end(running: Running, { ending, took }: Extract<Outcome, { kind: "ended" }>): void {
    const { accounts, clock, queue } = this.#options;
    const { attempt, run, waiting } = running;
    const { job } = waiting;
    const isWhole = ending.state === "done";
    const { gpuMs, hasLoaded } = this.#measures.noteOver(running, took.loadMs, isWhole);
    accounts.charge(job, gpuMs);
    const times = timesOf(running, took, clock.monotonicMs());
    this.#options.onEnded({ job, ending, hasLoaded, ...times });
    const facts = { jobId: job.id, attempt, reason: ending.reason, statusCode: ending.statusCode };
    this.#log.info(facts, `job ${ending.state}`);
    // First, so that the claim of the next one waits for nothing that this one's end takes.
    if (run.wasCut) clock.after(cutGraceMs, () => this.#free(job));
    else this.#free(job);
    const settled = this.#ledger.settle(waiting, attempt, ending, this.#starting);
    void settled.then(() => queue.release(job));
  }

  #putBack(running: Running, outcome: Extract<Outcome, { kind: "put-back" }>): void {
    const { clock, poller, queue } = this.#options;
    const { delayMs, problem, putBack } = outcome;
    const { attempt, run, waiting } = running;
    const { id } = waiting.job;
    this.#measures.noteOver(running, null, false);
    const level = /^(preempted|shutdown)$/.test(putBack.why) ? "info" : "warn";
    this.#log[level]({ jobId: id, attempt, why: putBack.why, problem, delayMs }, "job put back");
    const written = this.#ledger.putBack(waiting, attempt, putBack, delayMs);
    if (!putBack.counted) waiting.attempts -= 1;
    if (putBack.why === "preempted") waiting.preemptions += 1;
    if (putBack.why === "target_away") poller.noteUnreachable(problem);
    if (putBack.why === "target_lost") poller.noteLost();
    const back = () => {
      this.#slots.free(id);
      queue.putBack(waiting, delayMs);
      // While it rests, the slot is for those that wait.
      this.tick();
    };
    // A durable job waits again when its row says so: it could not be claimed before.
    const grace = run.wasCut ? clock.sleep(cutGraceMs) : null;
    if (waiting.job.isDurable) void Promise.all([written, grace]).then(back);
    else back();
  }

  #free(job: Job): void {
    this.#slots.free(job.id);
    this.tick();
    void this.#starting.then(() => this.#options.poller.refreshLoaded());
  }
}
