import type { Clock, Timer } from "../clock.ts";
import { ForemanError } from "../errors.ts";
import type { Ending } from "../job.ts";
import type { WaitingJob } from "../queue/lanes.ts";
import { retryAfterMsOf } from "../retry-after.ts";
import type { PutBack } from "../store/store.ts";
import { headerValue } from "../target/hop-headers.ts";
import type {
  Target,
  TargetExchange,
  TargetFailure,
  TargetHead,
  TargetSink,
} from "../target/target.ts";
import { backoffMs } from "./backoff.ts";
import { type CutReason, cuts } from "./cuts.ts";
import { endingOf, failedEnding } from "./endings.ts";
import { truncated, unsent } from "./own-failures.ts";
import { noTally, type Tally, TallyKeeper } from "./tally.ts";

/** What the target says that it took, in ms; null where it does not say. */
export type Took = Pick<Tally, "loadMs" | "evalMs">;

/** What became of one attempt. */
export type Outcome =
  | { readonly kind: "ended"; readonly ending: Ending; readonly took: Took }
  | {
      readonly kind: "put-back";
      readonly putBack: PutBack;
      /** Why, for the log. */
      readonly problem: string;
      /** It shall not run again before, in ms. */
      readonly delayMs: number;
    };

export type RunLimits = {
  /** Longest silence of a running generation, in ms; 0 for none. */
  readonly stallMsMax: number;
  /** Longest run of one generation, in ms; 0 for none. */
  readonly runMsMax: number;
  readonly attemptsMax: number;
};

type RunOptions = {
  readonly target: Target;
  readonly clock: Clock;
  /** From 0 to 1, for the jitter of backoff. */
  readonly random: () => number;
  readonly limits: RunLimits;
  /**
   * Monotonic ms of the last sign of life that is not in this answer: a change in what is loaded.
   */
  readonly lastLoadedChangeMs: () => number;
  /** The target's first byte came: loading is over, or the target refused. */
  readonly onWorking: (isError: boolean) => void;
  /** Called once, last. */
  readonly onOutcome: (outcome: Outcome) => void;
};

/**
 * One attempt of one job: the same bytes to the target, the answer to the waiter, and its outcome.
 */
export class Run implements TargetSink {
  readonly #waiting: WaitingJob;
  readonly #options: RunOptions;
  readonly #startedAtMs: number;
  #exchange: TargetExchange | null = null;
  #head: TargetHead | null = null;
  #tally: TallyKeeper | null = null;
  #firstByteAtMs: number | null = null;
  #lastByteAtMs: number;
  #cutFor: CutReason | null = null;
  #stallTimer: Timer | null = null;
  #runTimer: Timer | null = null;

  constructor(waiting: WaitingJob, options: RunOptions) {
    this.#waiting = waiting;
    this.#options = options;
    this.#startedAtMs = options.clock.monotonicMs();
    this.#lastByteAtMs = this.#startedAtMs;
  }

  /** Sends the request, unless it was cut before. The outcome may come before this returns. */
  start(body: Buffer): void {
    const { clock, limits, target } = this.#options;
    const { job, method, rawHeaders } = this.#waiting;
    if (this.#cutFor !== null) {
      this.#endCut(this.#cutFor, unsent);
      return;
    }
    if (limits.runMsMax > 0) {
      this.#runTimer = clock.after(limits.runMsMax, () => this.cut("run_timeout"));
    }
    if (limits.stallMsMax > 0) this.#watchStall(limits.stallMsMax);
    const exchange = target.send({ method, path: job.route, rawHeaders, body }, this);
    this.#exchange = exchange;
    if (this.#cutFor !== null) exchange.abort();
  }

  /** Closes the target's connection; the outcome tells why. */
  cut(why: CutReason): void {
    if (this.#cutFor !== null) return;
    this.#cutFor = why;
    this.#exchange?.abort();
  }

  /** Whether the target was cut off in the middle and may need a moment to notice. */
  get wasCut(): boolean {
    return this.#cutFor !== null;
  }

  /** Whether the answer is one, and no error, which says nothing of what is loaded. */
  get hasAnswered(): boolean {
    return this.#head !== null && !this.#isError;
  }

  /** How far the answer is; `firstByteAtMs` is null before it begins, `tokens` an estimate. */
  get progress(): { readonly firstByteAtMs: number | null; readonly tokens: number | null } {
    return { firstByteAtMs: this.#firstByteAtMs, tokens: this.#tally?.parts ?? null };
  }

  head(head: TargetHead): void {
    const { clock, onWorking } = this.#options;
    const { job, joinedAtMs, waiter } = this.#waiting;
    this.#lastByteAtMs = clock.monotonicMs();
    this.#firstByteAtMs = this.#lastByteAtMs;
    this.#head = head;
    this.#tally = new TallyKeeper(job.route, head);
    onWorking(head.statusCode >= 400);
    waiter.head(head, { jobId: job.id, queuedMs: this.#startedAtMs - joinedAtMs });
  }

  chunk(bytes: Buffer): void {
    this.#lastByteAtMs = this.#options.clock.monotonicMs();
    this.#tally?.chunk(bytes);
    this.#waiting.waiter.chunk(bytes);
  }

  end(): void {
    const tally = this.#tally?.read() ?? noTally;
    const isWhole = tally.isComplete || this.#isError || this.#head?.isDelimited === true;
    const putBack = this.#putBackAfterAnswer(tally);
    if (putBack !== null) {
      this.#finish(putBack);
      return;
    }
    if (isWhole) this.#waiting.waiter.end();
    else this.#waiting.waiter.failed(truncated);
    this.#finish({ kind: "ended", ending: endingOf(this.#head, tally), took: tally });
  }

  failed(failure: TargetFailure): void {
    if (this.#cutFor !== null) {
      this.#endCut(this.#cutFor, failure);
      return;
    }
    const putBack = this.#putBackAfter(failure);
    if (putBack !== null) {
      this.#finish(putBack);
      return;
    }
    const tally = this.#tally?.read() ?? noTally;
    this.#waiting.waiter.failed(failure, tally.isComplete);
    const ending = tally.isComplete
      ? endingOf(this.#head, tally)
      : failedEnding(this.#head, tally, {
          reason: "target_lost",
          message: `the target broke off: ${failure.message}`,
        });
    this.#finish({ kind: "ended", ending, took: tally });
  }

  /** How the job may run again after a broken connection without anybody noticing, or null. */
  #putBackAfter(failure: TargetFailure): PutBackOutcome | null {
    const problem = failure.message;
    if (failure.kind === "unreachable") {
      return putBackOutcome({ counted: false, why: "target_away" }, problem);
    }
    if (failure.kind !== "lost" || !this.#mayRunAgain) return null;
    const { attempts, job } = this.#waiting;
    const delayMs = job.isDurable ? backoffMs(attempts, null, this.#options.random()) : 0;
    return putBackOutcome({ counted: true, why: "target_lost" }, problem, delayMs);
  }

  /**
   * The same after an answer that is none; only a durable job has nobody who waits for its words.
   */
  #putBackAfterAnswer(tally: Tally): PutBackOutcome | null {
    const { attempts, job } = this.#waiting;
    const statusCode = this.#head?.statusCode ?? 0;
    const isPassing = statusCode >= 500 || statusCode === 429 || statusCode < 400;
    const isFailed = this.#isError || !tally.isComplete;
    if (!job.isDurable || !isFailed || !isPassing || !this.#mayRunAgain) return null;
    const { clock, random } = this.#options;
    const retryAfter = headerValue(this.#head?.rawHeaders ?? [], "retry-after");
    const delayMs = backoffMs(attempts, retryAfterMsOf(retryAfter, clock), random());
    // Its words may repeat the prompt, and this is logged: a last attempt keeps them in the job.
    const problem = `the target answered ${statusCode}`;
    return putBackOutcome({ counted: true, why: "target_failed" }, problem, delayMs);
  }

  get #mayRunAgain(): boolean {
    const { attempts, waiter } = this.#waiting;
    return !waiter.hasAnswer && attempts < this.#options.limits.attemptsMax;
  }

  get #isError(): boolean {
    return (this.#head?.statusCode ?? 0) >= 400;
  }

  #endCut(why: CutReason, failure: TargetFailure): void {
    const { waiter } = this.#waiting;
    const tally = this.#tally?.read() ?? noTally;
    const { code, message, state } = cuts[why];
    if (why === "preempted" || (why === "shutdown" && this.#waiting.job.isDurable)) {
      // It has time, and runs again from its beginning. Who waits for it hears the next attempt,
      // but from a daemon that goes.
      if (why === "shutdown" || waiter.hasAnswer) waiter.failed({ ...failure, message });
      this.#finish(putBackOutcome({ counted: false, why }, message));
      return;
    }
    // A client that left, or was cut off, hears nothing.
    if (code !== null && waiter.hasAnswer) waiter.failed({ ...failure, message });
    else if (code !== null) waiter.refuse(new ForemanError(code, message));
    const ending = { ...failedEnding(this.#head, tally, { reason: why, message }), state };
    this.#finish({ kind: "ended", ending, took: tally });
  }

  #watchStall(stallMsMax: number): void {
    const { clock, lastLoadedChangeMs } = this.#options;
    const lastSignMs = Math.max(this.#lastByteAtMs, lastLoadedChangeMs());
    const restMs = lastSignMs + stallMsMax - clock.monotonicMs();
    if (restMs <= 0) this.cut("stalled");
    else this.#stallTimer = clock.after(restMs, () => this.#watchStall(stallMsMax));
  }

  #finish(outcome: Outcome): void {
    this.#stallTimer?.cancel();
    this.#runTimer?.cancel();
    this.#options.onOutcome(outcome);
  }
}

type PutBackOutcome = Extract<Outcome, { kind: "put-back" }>;

function putBackOutcome(putBack: PutBack, problem: string, delayMs = 0): PutBackOutcome {
  return { kind: "put-back", putBack, problem, delayMs };
}
