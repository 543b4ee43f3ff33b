import type { Clock, Timer } from "../clock.ts";
import { type ErrorCode, ForemanError } from "../errors.ts";
import type { Ending, EndReason } from "../job.ts";
import type { WaitingJob } from "../queue/queue.ts";
import type { PutBack } from "../store/store.ts";
import type {
  Target,
  TargetExchange,
  TargetFailure,
  TargetHead,
  TargetSink,
} from "../target/target.ts";
import { type Tally, TallyKeeper } from "./tally.ts";

/** What became of one attempt. */
export type Outcome =
  | { readonly kind: "ended"; readonly ending: Ending; readonly loadMs: number | null }
  | { readonly kind: "put-back"; readonly putBack: PutBack; readonly failure: TargetFailure };

/** Why foreman itself ends a run. */
export type CutReason = keyof typeof cuts;

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

  /** Sends the request. The outcome may come before this returns. */
  start(): void {
    const { clock, limits, target } = this.#options;
    const { body, job, method, rawHeaders } = this.#waiting;
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

  head(head: TargetHead): void {
    const { clock, onWorking } = this.#options;
    const { job, joinedAtMs, waiter } = this.#waiting;
    this.#lastByteAtMs = clock.monotonicMs();
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
    const tally = this.#tally?.read() ?? nothing;
    const isWhole = tally.isComplete || this.#isError || this.#head?.isDelimited === true;
    if (isWhole) this.#waiting.waiter.end();
    else this.#waiting.waiter.failed(truncated);
    this.#finish({ kind: "ended", ending: this.#endingOf(tally), loadMs: tally.loadMs });
  }

  failed(failure: TargetFailure): void {
    if (this.#cutFor !== null) {
      this.#endCut(this.#cutFor, failure);
      return;
    }
    const putBack = this.#putBackAfter(failure);
    if (putBack !== null) {
      this.#finish({ kind: "put-back", putBack, failure });
      return;
    }
    this.#waiting.waiter.failed(failure);
    const tally = this.#tally?.read() ?? nothing;
    const ending = tally.isComplete
      ? this.#endingOf(tally)
      : this.#failedEnding("target_lost", `the target broke off: ${failure.message}`, tally);
    this.#finish({ kind: "ended", ending, loadMs: tally.loadMs });
  }

  /** How the job may run again without its client noticing, or null. */
  #putBackAfter(failure: TargetFailure): PutBack | null {
    const { attempts, waiter } = this.#waiting;
    if (failure.kind === "unreachable") return { counted: false, why: "target_away" };
    const isUnseen = failure.kind === "lost" && !waiter.hasAnswer && !failure.afterHead;
    const mayTryAgain = attempts < this.#options.limits.attemptsMax;
    return isUnseen && mayTryAgain ? { counted: true, why: "target_lost" } : null;
  }

  get #isError(): boolean {
    return (this.#head?.statusCode ?? 0) >= 400;
  }

  #endingOf(tally: Tally): Ending {
    const statusCode = this.#head?.statusCode ?? 0;
    if (statusCode >= 400) {
      const reason = statusCode < 500 && statusCode !== 429 ? "target_refused" : "target_failed";
      return this.#failedEnding(reason, `the target answered ${statusCode}`, tally);
    }
    if (tally.error !== null) return this.#failedEnding("target_failed", tally.error, tally);
    if (!tally.isComplete) {
      const message = "the answer ended without its end marker: the target stopped half way";
      return this.#failedEnding("incomplete_answer", message, tally);
    }
    const { completionTokens, promptTokens } = tally;
    return {
      state: "done",
      reason: null,
      message: null,
      statusCode,
      promptTokens,
      completionTokens,
    };
  }

  #failedEnding(reason: EndReason, message: string, tally: Tally): Ending {
    const { completionTokens, promptTokens } = tally;
    const statusCode = this.#head?.statusCode ?? null;
    return { state: "failed", reason, message, statusCode, promptTokens, completionTokens };
  }

  #endCut(why: CutReason, failure: TargetFailure): void {
    const { waiter } = this.#waiting;
    const tally = this.#tally?.read() ?? nothing;
    const { code, message, state } = cuts[why];
    // A client that left, or was cut off, hears nothing.
    if (code !== null && waiter.hasAnswer) waiter.failed({ ...failure, message });
    else if (code !== null) waiter.refuse(new ForemanError(code, message));
    const ending = { ...this.#failedEnding(why, message, tally), state };
    this.#finish({ kind: "ended", ending, loadMs: tally.loadMs });
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

const nothing: Tally = {
  isComplete: false,
  error: null,
  promptTokens: null,
  completionTokens: null,
  loadMs: null,
};

const truncated: TargetFailure = {
  kind: "lost",
  afterHead: true,
  message: "the target closed the connection before the answer was whole",
  cause: null,
};

type Cut = {
  readonly state: "failed" | "cancelled";
  /** What its client is told; null when there is nobody to tell. */
  readonly code: ErrorCode | null;
  readonly message: string;
};

const cuts = {
  client_gone: { state: "cancelled", code: null, message: "its client closed the connection" },
  client_too_slow: {
    state: "cancelled",
    code: null,
    message: "its client read too slowly and was cut off",
  },
  shutdown: { state: "cancelled", code: "draining", message: "foreman is shutting down" },
  stalled: {
    state: "failed",
    code: "target_timeout",
    message: "the model was silent for FOREMAN_STALL_TIMEOUT and was cut off; see Ollama's log",
  },
  run_timeout: {
    state: "failed",
    code: "target_timeout",
    message: "the generation ran longer than FOREMAN_RUN_TIMEOUT and was cut off",
  },
} as const satisfies { readonly [Reason in EndReason]?: Cut };
