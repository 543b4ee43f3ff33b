import { describe, expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import { StoreKeeper } from "../../src/store/store-keeper.ts";
import { logLines } from "../support/log-lines.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { cancelled } from "./contract/endings.ts";
import { aJob } from "./job-maker.ts";

const full = new ForemanError("storage_full", "the disk is full");
const jobTtlMs = 3_600_000;

function scene(store = new MemoryStore()) {
  const clock = new ManualClock();
  const { lines, log } = logLines("info");
  const keeper = new StoreKeeper({ store, clock, log, jobTtlMs });
  const ended = async (count: number) => {
    for (let i = 0; i < count; i += 1) {
      const job = aJob();
      await store.insertJob(job, null);
      await store.endWaiting(job.id, cancelled, clock.wallMs());
    }
  };
  const remembered = async () => (await store.countByState()).cancelled;
  return { store, clock, keeper, lines, ended, remembered };
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

  test.each([499, 500, 501, 1_700])("forgets all of %i old jobs in one go", async (count) => {
    const { clock, ended, keeper, remembered } = scene();
    await ended(count);
    await clock.advance(jobTtlMs + 1);

    keeper.start();
    await clock.settle();

    expect(await remembered()).toBe(0);
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
