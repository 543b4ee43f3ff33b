import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JobId } from "../../../src/job.ts";
import { openForTest } from "./open-for-test.ts";
import { StoreProcess } from "./store-process.ts";

describe("one owner of a database", () => {
  let folder: string;
  let file: string;
  let other: StoreProcess | null;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "foreman-owner-"));
    file = join(folder, "foreman.db");
    other = null;
  });

  afterEach(async () => {
    await other?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test("a second process is told at once, with the file's name, and changes nothing", async () => {
    other = new StoreProcess(file);
    await other.told("opened");

    await expect(openForTest(file)).rejects.toMatchObject({
      code: "already_running",
      message: expect.stringContaining(file),
    });
    const { length } = other.lines;
    await other.told("inserted", length + 10);
  });

  test("a second store in the same process is refused too, and leaves the lock whole", async () => {
    const first = await openForTest(file);

    await expect(openForTest(file)).rejects.toMatchObject({ code: "already_running" });

    other = new StoreProcess(file);
    await other.told("refused already_running");
    await first.heartbeat();
    await first.close();
  });

  test("kill -9 frees the database, and loses nothing that was acknowledged", async () => {
    other = new StoreProcess(file);
    await other.told("inserted", 200);

    await other.kill();
    const store = await openForTest(file);

    const acknowledged = await other.told("inserted", 200);
    for (const line of acknowledged) {
      expect(await store.job(line.split(" ")[1] as JobId)).toMatchObject({ state: "queued" });
    }
    await store.close();
  });

  test("closing frees the database and leaves no log behind", async () => {
    const first = await openForTest(file);
    await first.close();

    const second = await openForTest(file);
    await second.heartbeat();
    await second.close();

    expect(() => readFileSync(`${file}-wal`)).toThrow("ENOENT");
  });
});
