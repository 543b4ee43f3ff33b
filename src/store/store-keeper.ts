import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { BatchStore } from "./batch-store.ts";
import { LogWatch } from "./log-watch.ts";
import type { Heartbeat, Store } from "./store.ts";
import type { StoreUpkeep } from "./store-upkeep.ts";

/** How often the store proves that it can write; /healthz is that old at most. */
const heartbeatEveryMs = 10_000;

/** A commit that takes longer than this is reported before it ends, if it ever does. */
const stuckMsMin = 10_000;

/** A check reads the whole file; the start, and the clients who waited for it, come before. */
const checkAfterMs = 10_000;

/** How often ended jobs past their time are looked for. */
const pruneEveryMs = 60_000;

/** A wall clock may drift, and be set right by a little; more than this is a jump. */
const jumpMsMin = 60_000;

/** Time enough for whoever set the clock to set it right. */
const afterJumpMs = 3_600_000;

/**
 * Jobs in one transaction: 3 ms and its commit (measured on a busy machine), so that no other
 * commit waits for long. With 500, and the space given back each time, it was 50 ms.
 */
const pruneRowsMax = 100;

/** Batches that are looked for at once; each is dropped item by item. */
const pruneBatchesMax = 10;

/** Whether the database's pages are in order: `unchecked` when a check was cut off or failed. */
export type Integrity = "ok" | "checking" | "damaged" | "unchecked";

type StoreKeeperOptions = {
  readonly store: Store;
  readonly batches: Pick<BatchStore, "batchesEndedBefore" | "dropBatch">;
  readonly upkeep: StoreUpkeep;
  readonly clock: Clock;
  readonly log: Log;
  /** Ended jobs are kept so long, in ms; 0 for ever. */
  readonly jobTtlMs: number;
  /** Ended batches and their results are kept so long, in ms; 0 for ever. */
  readonly batchTtlMs: number;
};

/**
 * Looks after the store in the background: proves that it can write, checks it after a crash,
 * forgets what is old, and keeps its log small.
 */
export class StoreKeeper {
  readonly #options: StoreKeeperOptions;
  readonly #log: Log;
  readonly #logWatch: LogWatch;
  readonly #stop = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();
  #problem: string | null = null;
  #last: Heartbeat | null = null;
  #integrity: Integrity = "ok";
  #damage: string | null = null;
  /** Monotonic ms at which the beat under way began; null between two beats. */
  #beatingSinceMs: number | null = null;
  /** Wall clock less monotonic clock at the last look; null before the first. */
  #clockOffsetMs: number | null = null;
  #pruneAgainAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: StoreKeeperOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "store" });
    this.#logWatch = new LogWatch({ upkeep: options.upkeep, log: this.#log });
  }

  /** What keeps the store from taking durable jobs, or its damage, in words; null: nothing. */
  get problem(): string | null {
    return this.standstill ?? this.#problem ?? this.#damage;
  }

  /** That the database does not come to the end of a write, in words; null while it does. */
  get standstill(): string | null {
    const beatMs = this.#options.clock.monotonicMs() - (this.#beatingSinceMs ?? Infinity);
    if (beatMs < stuckMsMin) return null;
    return `the database has not written for ${Math.round(beatMs / 1_000)} s: is its disk stuck?`;
  }

  /** What the last heartbeat that came through found; null before the first. */
  get beat(): Heartbeat | null {
    return this.#last;
  }

  /** How much disk the store's log of commits took at the last heartbeat; null before. */
  get logBytes(): number | null {
    return this.#logWatch.bytes;
  }

  get integrity(): Integrity {
    return this.#integrity;
  }

  start(): void {
    this.#loops = Promise.all([
      this.#every(heartbeatEveryMs, () => this.#beat()),
      this.#every(pruneEveryMs, () => this.#tidy()),
      this.#check(),
    ]);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loops;
  }

  async #every(ms: number, act: () => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await act();
      await this.#options.clock.sleep(ms, signal);
    }
  }

  async #beat(): Promise<void> {
    this.#beatingSinceMs = this.#options.clock.monotonicMs();
    try {
      const beat = await this.#options.store.heartbeat();
      this.#last = beat;
      await this.#logWatch.look().catch((cause: unknown) => {
        // A database that is gone has no log either, and the heartbeat tells of it better.
        if (beat.problem === null) throw cause;
      });
      this.#note(beat.problem, "store takes no durable jobs");
    } catch (cause) {
      this.#note(cause instanceof Error ? cause.message : String(cause), "store cannot write");
    } finally {
      this.#beatingSinceMs = null;
    }
  }

  /** Says it once: what is told of a full disk differs a little each time. */
  #note(problem: string | null, what: string): void {
    if (problem !== null && this.#problem === null) this.#log.error({ problem }, what);
    if (problem === null && this.#problem !== null) this.#log.info("store is in order again");
    this.#problem = problem;
  }

  async #check(): Promise<void> {
    const { clock, upkeep } = this.#options;
    if (!upkeep.owesCheck) return;
    this.#integrity = "checking";
    this.#log.info("store was not closed in order; it is checked while it is in use");
    await clock.sleep(checkAfterMs, this.#stop.signal);
    const startedMs = clock.monotonicMs();
    try {
      this.#damage = await upkeep.check(this.#stop.signal);
      this.#integrity = this.#damage === null ? "ok" : "damaged";
      const tookMs = Math.round(clock.monotonicMs() - startedMs);
      if (this.#damage === null) this.#log.info({ tookMs }, "store checked, and sound");
      else this.#log.error({ tookMs, problem: this.#damage }, "store is damaged");
    } catch (cause) {
      this.#integrity = "unchecked";
      if (this.#stop.signal.aborted) return;
      this.#log.warn({ err: cause }, "store not checked; the next start tries again");
    }
  }

  /** A wall clock that was set forward must not make an hour's jobs look days old. */
  #hasClockJumped(): boolean {
    const { clock } = this.#options;
    const offsetMs = clock.wallMs() - clock.monotonicMs();
    const jumpMs = Math.abs(offsetMs - (this.#clockOffsetMs ?? offsetMs));
    this.#clockOffsetMs = offsetMs;
    if (jumpMs > jumpMsMin) {
      this.#log.warn({ jumpMs }, "wall clock jumped: nothing is pruned for an hour");
      this.#pruneAgainAtMs = clock.monotonicMs() + afterJumpMs;
    }
    return clock.monotonicMs() < this.#pruneAgainAtMs;
  }

  async #tidy(): Promise<void> {
    const { batchTtlMs, jobTtlMs, upkeep } = this.#options;
    const { signal } = this.#stop;
    try {
      if (!this.#hasClockJumped()) {
        if (jobTtlMs > 0) await this.#pruneJobs();
        if (batchTtlMs > 0) await this.#pruneBatches();
      }
      while (!signal.aborted && (await upkeep.shrink()));
      // What was deleted, prompts among it, still stands in the log.
      if (!signal.aborted) await upkeep.emptyLog();
    } catch (cause) {
      this.#log.warn({ err: cause }, "what is old is not pruned; tried again in a minute");
    }
  }

  async #pruneJobs(): Promise<void> {
    const { clock, jobTtlMs, store } = this.#options;
    let pruned = pruneRowsMax;
    while (pruned === pruneRowsMax && !this.#stop.signal.aborted) {
      pruned = await store.prune(clock.wallMs() - jobTtlMs, pruneRowsMax);
    }
  }

  async #pruneBatches(): Promise<void> {
    const { batches, batchTtlMs, clock } = this.#options;
    const { signal } = this.#stop;
    const endedBeforeMs = clock.wallMs() - batchTtlMs;
    let found = pruneBatchesMax;
    while (found === pruneBatchesMax) {
      const old = await batches.batchesEndedBefore(endedBeforeMs, pruneBatchesMax);
      for (const seq of old) {
        let dropped = pruneRowsMax;
        while (dropped === pruneRowsMax && !signal.aborted) {
          dropped = await batches.dropBatch(seq, pruneRowsMax);
        }
        if (signal.aborted) return;
      }
      found = old.length;
    }
  }
}
