import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JobId } from "../../../src/job.ts";
import { Backups } from "../../../src/store/backups.ts";
import type { SqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { lookInto } from "../../support/job-rows.ts";
import { logLines } from "../../support/log-lines.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { until } from "../../support/until.ts";
import { aJob, prompt } from "../job-maker.ts";
import { openForTest } from "./open-for-test.ts";

const shell = (command: string) => execFileSync("sh", ["-c", command], { stdio: "ignore" });

describe("a backup of a SQLite store", () => {
  let folder: string;
  let file: string;
  let store: SqliteStore;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "foreman-backup-"));
    file = join(folder, "foreman.db");
    store = await openForTest(file);
  });

  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function inserted(bytes = prompt.length): Promise<JobId> {
    const job = aJob();
    await store.insertJob(job, Buffer.alloc(bytes, "x"));
    return job.id;
  }

  test("D7: made amid commits is whole, private, and a store that goes on from there", async () => {
    const before = await Promise.all(Array.from({ length: 300 }, () => inserted(20_000)));
    let isDone = false;
    let meanwhile = 0;
    const load = (async () => {
      while (!isDone) {
        await inserted();
        meanwhile += 1;
      }
    })();

    const copy = join(folder, "copy.db");
    const bytes = await store.upkeep.backUp(copy);
    isDone = true;
    await load;

    expect(statSync(copy)).toMatchObject({ size: bytes });
    expect((statSync(copy).mode & 0o777).toString(8)).toBe("600");
    expect(meanwhile).toBeGreaterThan(0);
    expect(readdirSync(folder).filter((name) => name.startsWith("copy"))).toEqual(["copy.db"]);
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(elsewhere);
    copyFileSync(copy, join(elsewhere, "foreman.db"));
    const restored = await openForTest(join(elsewhere, "foreman.db"));
    for (const id of before) expect(await restored.body(id)).toHaveLength(20_000);
    const { queued } = await restored.countByState();
    expect(queued).toBeGreaterThanOrEqual(300);
    expect(queued).toBeLessThanOrEqual(300 + meanwhile);
    await restored.close();
    lookInto(join(elsewhere, "foreman.db"), (database) => {
      expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
      expect(database.pragma("foreign_key_check")).toEqual([]);
    });
  });

  test("overwrites no file, and says which", async () => {
    const copy = join(folder, "precious.db");
    writeFileSync(copy, "precious");

    await expect(store.upkeep.backUp(copy)).rejects.toMatchObject({
      code: "backup_refused",
      message: expect.stringContaining(copy),
    });

    expect(readFileSync(copy, "utf8")).toBe("precious");
  });

  test.each(["", "-wal", "-shm", "-journal", ".lock"])(
    "never takes the place of the database's own foreman.db%s, by whatever way",
    async (end) => {
      symlinkSync(folder, `${folder}/same`);

      for (const copy of [`${file}${end}`, `${folder}/same/foreman.db${end}`]) {
        await expect(store.upkeep.backUp(copy)).rejects.toMatchObject({
          code: "backup_refused",
          message: expect.stringContaining("is the database's own"),
        });
      }
      await inserted();
    },
  );

  test("into a folder that is not there names the file that could not be made", async () => {
    const copy = join(folder, "nowhere", "copy.db");

    await expect(store.upkeep.backUp(copy)).rejects.toMatchObject({
      code: "storage_failed",
      message: expect.stringContaining(copy),
    });
  });

  test("that finds too little space says how much it wants, and leaves nothing", async (context) => {
    const small = join(folder, "small");
    mkdirSync(small);
    try {
      shell(`mount -t tmpfs -o size=4m tmpfs '${small}'`);
    } catch {
      context.skip("mounting a tmpfs needs root");
    }
    try {
      await expect(store.upkeep.backUp(join(small, "copy.db"))).rejects.toMatchObject({
        code: "storage_full",
        message: expect.stringMatching(/small\/copy\.db wants 25\d MiB of free space/),
      });
      expect(readdirSync(small)).toEqual([]);
    } finally {
      shell(`umount -l '${small}'`);
    }
  });

  describe("in the folder beside the database", () => {
    function backupsOf() {
      const clock = new ManualClock();
      const { log } = logLines();
      return {
        clock,
        backups: new Backups({ upkeep: store.upkeep, databaseFile: file, clock, log }),
      };
    }
    const found = () => readdirSync(join(folder, "backups"));

    test("is named by its time, beside those made before", async () => {
      const { backups, clock } = backupsOf();

      const first = await backups.make();
      await clock.advance(1);
      const second = await backups.make();

      expect(first.name).toMatch(/^foreman-\d{8}T\d{9}Z\.db$/);
      expect(found()).toEqual([first.name, second.name]);
      expect(statSync(join(folder, "backups")).mode & 0o777).toBe(0o700);
    });

    test("is one at a time", async () => {
      const { backups } = backupsOf();

      const first = backups.make();
      await expect(backups.make()).rejects.toMatchObject({ code: "backup_refused" });

      await first;
      expect(found()).toHaveLength(1);
    });

    test("that was cut off leaves nothing that looks like one, and the next one clears it", async () => {
      for (let i = 0; i < 60; i++) await inserted(2 ** 20);
      const { backups } = backupsOf();
      const cut = backups.make();
      const half = () => existsSync(join(folder, "backups")) && found()[0];
      await until("it is half done", () => half() !== undefined && half() !== false);

      const [outcome] = await Promise.allSettled([cut, store.close()]);

      expect(outcome).toMatchObject({ status: "rejected" });
      expect(found().filter((name) => !name.includes(".unfinished"))).toEqual([]);
      store = await openForTest(file);
      const whole = await backupsOf().backups.make();
      expect(found()).toEqual([whole.name]);
    });
  });
});
