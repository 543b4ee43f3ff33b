import { describe, expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import type { BatchSeq } from "../../src/store/batch-store.ts";
import { StoreKeeper } from "../../src/store/store-keeper.ts";
import { FakeUpkeep } from "../support/fake-upkeep.ts";
import { logLines } from "../support/log-lines.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { cancelled } from "./contract/endings.ts";
import { aJob } from "./job-maker.ts";

const full = new ForemanError("storage_full", "the disk is full");
const jobTtlMs = 3_600_000;
const batchTtlMs = 7_200_000;

/** Ended batches with so many items each, as far as a keeper sees them. */
class EndedBatches {
  readonly items = new Map<BatchSeq, number>();
  readonly #endedAtMs = new Map<BatchSeq, number>();

  add(endedAtMs: number, items: number): void {
    const seq = this.#endedAtMs.size as BatchSeq;
    this.#endedAtMs.set(seq, endedAtMs);
    this.items.set(seq, items);
  }

  async batchesEndedBefore(atMs: number, limit: number): Promise<readonly BatchSeq[]> {
    const isOld = (seq: BatchSeq) => (this.#endedAtMs.get(seq) ?? atMs) < atMs;
    return [...this.items.keys()].filter(isOld).slice(0, limit);
  }

  async dropBatch(seq: BatchSeq, limit: number): Promise<number> {
    const left = this.items.get(seq) ?? 0;
    if (left > limit) this.items.set(seq, left - limit);
    else this.items.delete(seq);
    return Math.min(left, limit);
  }
}

function scene(store = new MemoryStore()) {
  const clock = new ManualClock();
  const { lines, log } = logLines("info");
  const upkeep = new FakeUpkeep();
  const batches = new EndedBatches();
  const ttl = { jobTtlMs, batchTtlMs };
  const keeper = new StoreKeeper({ store, batches, upkeep, clock, log, ...ttl });
  const ended = async (count: number) => {
    for (let i = 0; i < count; i += 1) {
      const job = aJob();
      await store.insertJob(job, null);
      await store.endWaiting(job.id, cancelled, clock.wallMs());
    }
  };
  const remembered = async () => (await store.countByState()).cancelled;
  return { store, batches, upkeep, clock, keeper, lines, ended, remembered };
}

describe("the keeper's heartbeat", () => {
  test("proves at once that the store can write, and tells how fast", async () => {
    const { clock, keeper } = scene();
    expect(keeper.beat).toBeNull();

    keeper.start();
    await clock.settle();

    expect(keeper).toMatchObject({ problem: null, beat: { commitMs: 0.25 } });
  });

  test("tells a problem within ten seconds, says so once, and tells when it is over", async () => {
    const { clock, keeper, lines, store } = scene();
    keeper.start();
    await clock.settle();
    store.failsWith = full;

    await clock.advance(10_000);
    expect(keeper.problem).toBe("the disk is full");
    await clock.advance(30_000);
    expect(lines.filter(({ level }) => level === 50)).toHaveLength(1);

    store.failsWith = null;
    await clock.advance(10_000);
    expect(keeper.problem).toBeNull();
    expect(lines.at(-1)).toMatchObject({ msg: "store is in order again" });
  });

  test("tells what keeps durable jobs out though it can write, and says so once", async () => {
    const { clock, keeper, lines, store } = scene();
    store.beats = { problem: "the disk has 3 MiB left" };

    keeper.start();
    await clock.settle();
    store.beats = { problem: "the disk has 2 MiB left" };
    await clock.advance(10_000);

    expect(keeper.problem).toBe("the disk has 2 MiB left");
    expect(lines).toMatchObject([{ level: 50, msg: "store takes no durable jobs" }]);
  });

  test("reports a commit that does not end after ten seconds, and not before", async () => {
    class StuckStore extends MemoryStore {
      override heartbeat(): Promise<never> {
        return new Promise(() => {});
      }
    }
    const { clock, keeper } = scene(new StuckStore());
    keeper.start();

    await clock.advance(9_999);
    expect(keeper.problem).toBeNull();
    await clock.advance(1);

    expect(keeper.problem).toContain("10 s");
  });
});

describe("the keeper's clean-up", () => {
  test("forgets a job when its time is past, and not before", async () => {
    const { clock, ended, keeper, remembered } = scene();
    await ended(1);
    keeper.start();

    await clock.advance(jobTtlMs);
    expect(await remembered()).toBe(1);
    await clock.advance(60_000);
    expect(await remembered()).toBe(0);
  });

  test.each([99, 100, 101, 350])("forgets all of %i old jobs in one go", async (count) => {
    const { clock, ended, keeper, remembered } = scene();
    await ended(count);
    await clock.advance(jobTtlMs + 1);

    keeper.start();
    await clock.settle();

    expect(await remembered()).toBe(0);
  });

  test.each([1, 100, 350])("forgets old batches of %i items, and no young one", async (items) => {
    const { batches, clock, keeper } = scene();
    for (let i = 0; i < 21; i += 1) batches.add(clock.wallMs(), items);
    await clock.advance(batchTtlMs + 1);
    batches.add(clock.wallMs(), items);

    keeper.start();
    await clock.settle();

    expect([...batches.items.values()]).toEqual([items]);
  });

  test("that fails is tried again a minute later", async () => {
    const { clock, ended, keeper, lines, remembered, store } = scene();
    await ended(3);
    await clock.advance(jobTtlMs + 1);
    store.failsWith = full;
    keeper.start();
    await clock.settle();
    expect(lines.filter(({ level }) => level === 40)).toHaveLength(1);

    store.failsWith = null;
    await clock.advance(60_000);

    expect(await remembered()).toBe(0);
  });
});

describe("the keeper's care for the files", () => {
  const mib = 2 ** 20;
  const unclosed = () => {
    const all = scene();
    all.upkeep.owesCheck = true;
    return all;
  };

  test("gives space back bit by bit, then wipes what was pruned from the log", async () => {
    const { clock, keeper, upkeep } = scene();
    upkeep.shrinks = 3;

    keeper.start();
    await clock.settle();

    expect(upkeep.calls).toEqual(["shrink", "shrink", "shrink", "emptyLog"]);
  });

  test("empties a log past 64 MiB at the next heartbeat, and no smaller one", async () => {
    const { clock, keeper, upkeep } = scene();
    keeper.start();
    await clock.settle();
    upkeep.calls.length = 0;
    upkeep.bytes = 64 * mib;
    await clock.advance(10_000);
    expect(upkeep.calls).toEqual([]);
    expect(keeper.logBytes).toBe(64 * mib);

    upkeep.bytes += 1;
    await clock.advance(10_000);

    expect(upkeep.calls).toEqual(["emptyLog"]);
    expect(keeper.logBytes).toBe(0);
  });

  test("D5: says once that a reader lets the log grow, and once that it is small again", async () => {
    const { clock, keeper, lines, upkeep } = scene();
    keeper.start();
    upkeep.isHeld = true;
    upkeep.bytes = 256 * mib;
    await clock.advance(10_000);
    expect(lines).toEqual([]);

    upkeep.bytes += 1;
    await clock.advance(30_000);
    expect(lines).toMatchObject([{ level: 40, logBytes: 256 * mib + 1 }]);
    upkeep.isHeld = false;
    await clock.advance(10_000);

    expect(lines.at(-1)).toMatchObject({ level: 30, msg: "the store's log is small again" });
    expect(lines).toHaveLength(2);
  });

  test("checks a store that was not closed in order, and is content if it is sound", async () => {
    const { clock, keeper, lines, upkeep } = unclosed();
    upkeep.verdict = undefined;
    keeper.start();
    await clock.advance(10_000);
    expect(keeper).toMatchObject({ integrity: "checking", problem: null });
    await keeper.stop();

    const second = unclosed();
    second.keeper.start();
    await second.clock.advance(9_999);
    expect(second.keeper).toMatchObject({ integrity: "checking", problem: null });
    await second.clock.advance(1);

    expect(second.keeper).toMatchObject({ integrity: "ok", problem: null });
    expect(second.lines.at(-1)).toMatchObject({ level: 30, msg: "store checked, and sound" });
    expect(keeper.integrity).toBe("unchecked");
    expect(lines.every(({ level }) => level === 30)).toBe(true);
  });

  test("D4: tells damage as the store's problem for as long as it runs", async () => {
    const { clock, keeper, lines, upkeep } = unclosed();
    upkeep.verdict = "/var/foreman.db is damaged: page 7";

    keeper.start();
    await clock.advance(60_000);

    expect(keeper).toMatchObject({ integrity: "damaged", problem: upkeep.verdict });
    expect(lines.filter(({ level }) => level === 50)).toMatchObject([
      { msg: "store is damaged", problem: upkeep.verdict },
    ]);
  });

  test("checks nothing that was closed in order", async () => {
    const { clock, keeper, lines } = scene();

    keeper.start();
    await clock.settle();

    expect(keeper.integrity).toBe("ok");
    expect(lines).toEqual([]);
  });
});

describe("the keeper's end", () => {
  test("leaves nothing that would touch the store later", async () => {
    const { clock, keeper, lines, store } = scene();
    keeper.start();
    await clock.settle();

    await keeper.stop();
    await keeper.stop();
    await store.close();
    await clock.advance(600_000);

    expect(clock.pendingCount).toBe(0);
    expect(lines).toEqual([]);
  });

  test("forgets nothing for an hour after the wall clock jumped", async () => {
    const { clock, ended, keeper, lines, remembered } = scene();
    await ended(1);
    keeper.start();
    await clock.settle();

    clock.jumpWall(2 * 86_400_000);
    await clock.advance(60_000);
    expect(await remembered()).toBe(1);
    expect(lines.some(({ msg }) => msg.startsWith("wall clock jumped"))).toBe(true);
    await clock.advance(3_600_000);

    expect(await remembered()).toBe(0);
  });
});
