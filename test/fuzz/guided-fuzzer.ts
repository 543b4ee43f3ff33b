/**
 * A fuzzer that is guided by coverage: an input that reaches code, or reaches it more often, than
 * any before it is kept and changed further. V8 itself counts the blocks, so nothing is instrumented
 * or bundled; jazzer.js wants a newer glibc than Debian 12 has, and jsfuzz cannot parse `?.`.
 */
import { Session } from "node:inspector";
import { type Dice, mutated } from "./mutate-bytes.ts";

export type FuzzTarget = {
  readonly name: string;
  readonly seeds: readonly string[];
  /** Words that are put in here and there. */
  readonly words: readonly string[];
  /** Throws if a promise of the code under test is broken. */
  readonly run: (input: Buffer) => void;
};

export type FuzzBounds = {
  readonly runsMax: number;
  readonly msMax: number;
  /** The same seed tries the same inputs, as far as coverage is the same. */
  readonly seed: number;
};

export type FuzzReport = {
  readonly runs: number;
  /** Inputs that reached something new. */
  readonly corpus: readonly Buffer[];
  /** Blocks and how often they were reached, in powers of two. */
  readonly features: number;
  readonly failure: { readonly input: Buffer; readonly cause: unknown } | null;
};

/** An input of this size has room for all that a target looks at. */
const bytesMax = 1_024;

/** Runs a target on changed inputs until a bound is reached, or one fails, which is made smaller. */
export function fuzz(target: FuzzTarget, { msMax, runsMax, seed }: FuzzBounds): FuzzReport {
  const coverage = new Coverage();
  const dice = diceOf(seed);
  const corpus: Buffer[] = [];
  const untilMs = performance.now() + msMax;
  let runs = 0;
  let failure: FuzzReport["failure"] = null;
  const attempt = (input: Buffer) => {
    runs += 1;
    const cause = causeOf(target, input);
    if (cause !== null) failure = { input: smallest(target, input), cause: cause.error };
    else if (coverage.isNew()) corpus.push(input);
  };
  coverage.start();
  try {
    for (const each of ["", ...target.seeds]) if (failure === null) attempt(Buffer.from(each));
    while (failure === null && runs < runsMax && performance.now() < untilMs) {
      // Half of the time one of the latest: what was reached last was changed the least.
      const near = dice(2) === 0 ? Math.min(8, corpus.length) : corpus.length;
      const parent = corpus[corpus.length - 1 - dice(near)] ?? Buffer.alloc(0);
      attempt(mutated(parent, { corpus, dice, words: target.words }).subarray(0, bytesMax));
    }
  } finally {
    coverage.stop();
  }
  return { runs, corpus, features: coverage.features, failure };
}

function causeOf(target: FuzzTarget, input: Buffer): { error: unknown } | null {
  try {
    target.run(input);
    return null;
  } catch (error) {
    return { error };
  }
}

/** Leaves pieces out as long as it still fails. */
function smallest(target: FuzzTarget, input: Buffer): Buffer {
  let best = input;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length; ) {
      const less = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (causeOf(target, less) === null) at += size;
      else best = less;
    }
  }
  return best;
}

/** Numbers from 0 to below `sides`, the same for the same seed (mulberry32). */
function diceOf(seed: number): Dice {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) % Math.max(1, sides);
  };
}

type Blocks = {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly {
        readonly startOffset: number;
        readonly endOffset: number;
        readonly count: number;
      }[];
    }[];
  }[];
};

/** What V8 saw of the project's own files. */
class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  get features(): number {
    return this.#seen.size;
  }

  start(): void {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  stop(): void {
    this.#session.post("Profiler.stopPreciseCoverage");
    this.#session.disconnect();
  }

  /** Whether something new was reached since the last call. */
  isNew(): boolean {
    const before = this.#seen.size;
    // In this thread the answer comes before `post` returns.
    this.#session.post("Profiler.takePreciseCoverage", (_failure, blocks) => this.#note(blocks));
    return this.#seen.size > before;
  }

  #note({ result }: Blocks): void {
    for (const { functions, url } of result) {
      const isOwn = /\/(src|test)\//.test(url) && !/node_modules|fuzzer|mutate-bytes/.test(url);
      if (!isOwn) continue;
      for (const { ranges } of functions) {
        // V8 tells a block apart only where its count is not its surroundings': so which blocks were
        // left out says as much as which were reached.
        for (const { count, endOffset, startOffset } of ranges) {
          const times = count === 0 ? -1 : Math.floor(Math.log2(count));
          this.#seen.add(`${url}:${startOffset}-${endOffset}:${times}`);
        }
      }
    }
  }
}
