import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ForemanError } from "../../../src/errors.ts";
import { aJob, prompt } from "../job-maker.ts";
import { openForTest } from "./open-for-test.ts";
import { StoreProcess } from "./store-process.ts";

// Real faults: a file system of 4 MiB, a limit on the size of a file (which SQLite sees as a
// failed write, not as a full disk), another program's lock.

const shell = (command: string) => execFileSync("sh", ["-c", command], { stdio: "ignore" });

function mountSmallDisk(folder: string): boolean {
  try {
    shell(`mount -t tmpfs -o size=4m tmpfs '${folder}'`);
    return true;
  } catch {
    return false;
  }
}

describe("a disk that", () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "foreman-disk-"));
    file = join(folder, "foreman.db");
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("is full rejects what finds no room alone, until there is some", async (context) => {
    if (!mountSmallDisk(folder)) context.skip("mounting a tmpfs needs root");
    try {
      const ballast = join(folder, "ballast");
      writeFileSync(ballast, Buffer.alloc(2 * 2 ** 20));
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

      rmSync(ballast);
      await store.insertJob(large, Buffer.alloc(1 * 2 ** 20));
      expect(await store.body(large.id)).toHaveLength(2 ** 20);
      await store.close();

      const again = await openForTest(file);
      expect(await again.countByState()).toMatchObject({ queued: 1, loading: 1 });
      await again.close();
    } finally {
      // Lazily: a store that a failed expectation left open must not leave the mount behind.
      shell(`umount -l '${folder}'`);
    }
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
});
