/** What is done to the files while the store is in use: over real files, real readers, real kills. */
import { mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StoreKeeper } from "../../../src/store/store-keeper.ts";
import { logLines } from "../../support/log-lines.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { until } from "../../support/until.ts";
import { cancelled } from "../contract/endings.ts";
import { aJob } from "../job-maker.ts";
import { openForTest } from "./open-for-test.ts";
import { StoreProcess } from "./store-process.ts";

const mib = 2 ** 20;

describe("the upkeep of a SQLite store", () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "foreman-upkeep-"));
    file = join(folder, "foreman.db");
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const never = new AbortController().signal;

  /** Larger than what is checked at the start. */
  async function killed(jobs = 70): Promise<void> {
    const process = new StoreProcess(file, { bodyBytes: mib });
    await process.told("inserted", jobs);
    await process.kill();
  }

  describe("owes a check", () => {
    test("after a kill -9, until one found it sound, and never after a close", async () => {
      await killed();
      const first = await openForTest(file);
      expect(first.upkeep.owesCheck).toBe(true);
      await first.close();
      const second = await openForTest(file);
      expect(second.upkeep.owesCheck).toBe(true);

      expect(await second.upkeep.check(never)).toBeNull();

      expect(second.upkeep.owesCheck).toBe(false);
      await second.close();
      const third = await openForTest(file);
      expect(third.upkeep.owesCheck).toBe(false);
      await third.close();
    });

    test("not if it is small enough to have been checked at its opening", async () => {
      await killed(3);

      const store = await openForTest(file);

      expect(store.upkeep.owesCheck).toBe(false);
      await store.close();
    });
  });

  test("D4: finds a page overwritten in a large file, names it, and says so at each start", async () => {
    await killed();
    // What the log holds would stand for the pages of the file: it is folded in before.
    new Database(file).close();
    writeSync(openSync(file, "r+"), "no page of a database. ".repeat(400), 40 * mib);
    const store = await openForTest(file);

    const verdict = await store.upkeep.check(never);

    expect(verdict).toContain(`${file} is damaged: `);
    await store.close();
    const again = await openForTest(file);
    expect(again.upkeep.owesCheck).toBe(true);
    await again.close();
  });

  test("reads and commits go on during a check, and a close ends it", async () => {
    await killed();
    const store = await openForTest(file);
    const checking = store.upkeep.check(never);

    await store.insertJob(aJob(), Buffer.from("x"));
    expect((await store.countByState()).queued).toBeGreaterThan(70);
    const [outcome] = await Promise.allSettled([checking, store.close()]);

    expect(["fulfilled", "rejected"]).toContain(outcome.status);
    const again = await openForTest(file);
    expect(again.upkeep.owesCheck).toBe(outcome.status === "rejected");
    await again.close();
  });

  test("D5: a reader that stays lets the log grow, seen by the keeper; then it is emptied", async () => {
    const store = await openForTest(file);
    const clock = new ManualClock();
    const { lines, log } = logLines("info");
    const ttl = { jobTtlMs: 0, batchTtlMs: 0 };
    const keeper = new StoreKeeper({
      store,
      batches: store.batches,
      upkeep: store.upkeep,
      clock,
      log,
      ...ttl,
    });
    await store.insertJob(aJob(), Buffer.from("x"));
    const reader = new Database(file, { readonly: true });
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM job").get();
    keeper.start();

    for (let i = 0; i < 270; i++) await store.insertJob(aJob(), Buffer.alloc(mib));
    await clock.advance(10_000);
    await until("it was seen", () => (keeper.logBytes ?? 0) > 256 * mib);
    await until("it was told", () => lines.some(({ level }) => level === 40));
    expect(keeper.problem).toBeNull();
    reader.close();
    await clock.advance(10_000);

    await until("it is empty", () => keeper.logBytes === 0);
    expect(statSync(`${file}-wal`).size).toBe(0);
    await keeper.stop();
    await store.close();
  });

  test("a burst of commits leaves no large log behind", async () => {
    const store = await openForTest(file);

    await Promise.all(
      Array.from({ length: 150 }, () => store.insertJob(aJob(), Buffer.alloc(mib))),
    );
    expect(await store.upkeep.logBytes()).toBeGreaterThan(64 * mib);
    await store.upkeep.emptyLog();

    expect(await store.upkeep.logBytes()).toBe(0);
    await store.close();
  });

  test("gives the space of what was pruned back bit by bit, but for a small reserve", async () => {
    const store = await openForTest(file);
    const jobs = Array.from({ length: 20 }, () => aJob());
    for (const job of jobs) await store.insertJob(job, Buffer.alloc(mib));
    for (const { id } of jobs) await store.endWaiting(id, cancelled, 1);
    await store.prune(2, 100);
    await store.upkeep.emptyLog();
    const fullBytes = statSync(file).size;

    let slices = 1;
    while (await store.upkeep.shrink()) slices += 1;
    await store.upkeep.emptyLog();

    expect(slices).toBeGreaterThan(1);
    const left = statSync(file).size;
    expect(left).toBeLessThan(fullBytes);
    expect(left).toBeGreaterThan(4 * mib);
    expect(left).toBeLessThan(5 * mib);
    await store.close();
  });

  test("D3: says that the database is gone when somebody deleted it", async () => {
    const store = await openForTest(file);
    rmSync(file);
    rmSync(`${file}-wal`);

    await expect(store.upkeep.logBytes()).rejects.toMatchObject({
      code: "storage_failed",
      message: expect.stringContaining(`was ${file} deleted`),
    });
    await store.close();
  });
});
