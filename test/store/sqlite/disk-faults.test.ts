import { copyFileSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ForemanError } from "../../../src/errors.ts";
import type { Store } from "../../../src/store/store.ts";
import { mountSmallDisk, takeRoom } from "../../support/small-disk.ts";
import { done } from "../contract/endings.ts";
import { aJob, prompt } from "../job-maker.ts";
import { openForTest } from "./open-for-test.ts";
import { StoreProcess } from "./store-process.ts";

// Real faults: a file system of 4 MiB, a limit on the size of a file (which SQLite sees as a
// failed write, not as a full disk), another program's lock.

const needsRoot = "mounting a tmpfs needs root";

const answer = { statusCode: 200, contentType: "application/json", isCompressed: false };

describe("a disk that", () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "foreman-disk-"));
    file = join(folder, "foreman.db");
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("D1 is full rejects what finds no room alone, until there is some", async (context) => {
    const disk = mountSmallDisk(4) ?? context.skip(needsRoot);
    file = join(disk, "foreman.db");
    const giveBack = takeRoom(disk, 2);
    const fatal: ForemanError[] = [];
    const store = await openForTest(file, { onFatal: (failure) => fatal.push(failure) });
    const [small, large] = [aJob(), aJob()];

    const outcomes = await Promise.allSettled([
      store.insertJob(small, prompt),
      store.insertJob(large, Buffer.alloc(3 * 2 ** 20)),
      store.claim(small.id, 1, 1),
    ]);

    expect(outcomes).toMatchObject([
      { status: "fulfilled" },
      {
        status: "rejected",
        reason: { code: "storage_full", message: expect.stringContaining(file) },
      },
      { status: "fulfilled", value: "claimed" },
    ]);
    expect(await store.job(large.id)).toBeNull();
    expect(fatal).toEqual([]);

    giveBack();
    await store.insertJob(large, Buffer.alloc(1 * 2 ** 20));
    expect(await store.body(large.id)).toHaveLength(2 ** 20);
    await store.close();

    const again = await openForTest(file);
    expect(await again.countByState()).toMatchObject({ queued: 1, loading: 1 });
    await again.close();
  });

  test("D1 is full when the store closes keeps the log, and the next one finds it", async (context) => {
    const disk = mountSmallDisk(4) ?? context.skip(needsRoot);
    file = join(disk, "foreman.db");
    const fatal: ForemanError[] = [];
    const store = await openForTest(file, { onFatal: (failure) => fatal.push(failure) });
    const job = aJob();
    await store.insertJob(job, Buffer.alloc(2 ** 20));
    const giveBack = takeRoom(disk, 2.5);

    await store.close();

    expect(fatal).toEqual([]);
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(2 ** 20);
    giveBack();
    const again = await openForTest(file);
    expect(await again.body(job.id)).toHaveLength(2 ** 20);
    await again.close();
  });

  test("D1 is full up to the floor takes no durable job, but the ends of those that run", async (context) => {
    const disk = mountSmallDisk(32) ?? context.skip(needsRoot);
    file = join(disk, "foreman.db");
    const store = await openForTest(file, { diskFloorBytes: 16 * 2 ** 20 });
    const [running, keyed, late, onSocket] = [aJob(), aJob(), aJob(), aJob({ isDurable: false })];
    await store.insertJob(running, prompt);
    await store.insertJob(keyed, prompt, { idempotencyKey: "k" });
    await store.claim(running.id, 1, 1);
    await store.markWorking(running.id, 1, 2);
    expect(await store.heartbeat()).toMatchObject({ problem: null });

    // 12 MiB fit beside the floor, but not twice: in the log, and then in the file.
    await expect(store.insertJob(late, Buffer.alloc(12 * 2 ** 20))).rejects.toMatchObject({
      code: "storage_full",
      message: expect.stringMatching(/the job needs 24 MiB more: FOREMAN_DISK_FLOOR keeps 16 MiB/),
    });
    const giveBack = takeRoom(disk, 18);
    await expect(store.insertJob(late, prompt)).rejects.toMatchObject({ code: "storage_full" });
    expect(await store.heartbeat()).toMatchObject({
      freeBytes: expect.any(Number),
      problem: expect.stringContaining("FOREMAN_DISK_FLOOR"),
    });
    const known = await store.insertJob(aJob(), prompt, { idempotencyKey: "k" });
    await store.insertJob(onSocket, null);
    const kept = { ...answer, body: Buffer.alloc(4 * 2 ** 20) };
    expect(await store.settle(running.id, 1, done, 2, kept)).toBe("settled");
    expect(await store.job(late.id)).toBeNull();
    expect(known).toMatchObject({ kind: "known", job: { id: keyed.id } });

    giveBack();
    await store.insertJob(late, prompt);
    expect(await store.heartbeat()).toMatchObject({ problem: null });
    await store.close();
  });

  test("fails a write stops the store, which tells it once and accepts nothing more", async () => {
    const process = new StoreProcess(file, { bodyBytes: 100_000, fileBlocksMax: 4000 });

    await process.told("then");
    await process.kill();

    const acknowledged = process.lines.filter((line) => line.startsWith("inserted")).length;
    expect(process.lines.filter((line) => !line.startsWith("inserted"))).toEqual([
      "opened",
      "fatal storage_failed",
      "rejected storage_failed",
      "then storage_failed",
    ]);
    const store = await openForTest(file);
    const { queued } = await store.countByState();
    // The last commit was not acknowledged, and may or may not have reached the disk.
    expect(queued - acknowledged).toBeOneOf([0, 1]);
    await store.close();
  });

  test("another program has locked makes verbs wait, and loses none", async () => {
    const store = await openForTest(file);
    const intruder = new Database(file);
    intruder.exec("BEGIN IMMEDIATE");
    let isAnswered = false;
    const job = aJob();

    const inserted = store.insertJob(job, prompt).finally(() => {
      isAnswered = true;
    });
    expect(await store.countByState()).toMatchObject({ queued: 0 });
    expect(isAnswered).toBe(false);
    intruder.exec("COMMIT");
    intruder.close();

    await inserted;
    expect(await store.job(job.id)).toMatchObject({ state: "queued" });
    await store.close();
  });

  test("D5 is read by another program for long holds the log up, and no longer", async () => {
    const store = await openForTest(file);
    const reader = new Database(file, { readonly: true });
    reader.exec("BEGIN");
    expect(reader.prepare("SELECT count(*) FROM job").pluck().get()).toBe(0);
    const jobs = Array.from({ length: 70 }, () => aJob());

    for (const job of jobs) await store.insertJob(job, Buffer.alloc(2 ** 20));
    const longBytes = statSync(`${file}-wal`).size;
    const read = reader.prepare("SELECT count(*) FROM job").pluck().get();
    reader.close();
    for (const job of jobs.slice(0, 3)) await store.claim(job.id, 1, 1);

    expect(read).toBe(0);
    expect(longBytes).toBeGreaterThan(70 * 2 ** 20);
    expect(statSync(`${file}-wal`).size).toBeLessThanOrEqual(64 * 2 ** 20);
    await store.close();
  });
});

describe("a database whose files", () => {
  let folder: string;
  let file: string;
  let store: Store;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "foreman-lost-"));
    file = join(folder, "state", "foreman.db");
    store = await openForTest(file);
    await store.insertJob(aJob(), prompt);
  });

  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const lost = { code: "storage_lost", message: expect.stringContaining("restart foreman") };

  test.each<[string, () => void]>([
    ["were deleted", () => rmSync(file)],
    ["lost their log", () => rmSync(`${file}-wal`)],
    ["are under another name", () => renameSync(file, `${file}.old`)],
    [
      "were replaced by a copy",
      () => {
        copyFileSync(file, `${file}.copy`);
        renameSync(`${file}.copy`, file);
      },
    ],
    ["went with their folder", () => rmSync(join(folder, "state"), { recursive: true })],
  ])("D3 %s takes no job that must outlive it, and says so", async (_, happens) => {
    const running = aJob();
    await store.insertJob(running, prompt);
    happens();

    await expect(store.insertJob(aJob(), prompt)).rejects.toMatchObject(lost);
    expect(await store.heartbeat()).toMatchObject({ problem: lost.message });

    await store.insertJob(aJob({ isDurable: false }), null);
    expect(await store.claim(running.id, 1, 1)).toBe("claimed");
  });

  test("D3 are back where they were takes jobs again", async () => {
    renameSync(file, `${file}.old`);
    await expect(store.insertJob(aJob(), prompt)).rejects.toMatchObject(lost);

    renameSync(`${file}.old`, file);

    await store.insertJob(aJob(), prompt);
    expect(await store.heartbeat()).toMatchObject({ problem: null });
  });
});
