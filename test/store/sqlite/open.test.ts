import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectDatabase } from "../../../src/store/sqlite/connect-database.ts";
import { aJob, prompt } from "../job-maker.ts";
import { openForTest } from "./open-for-test.ts";
import { StoreProcess } from "./store-process.ts";

describe("opening a SQLite store", () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "foreman-open-"));
    file = join(folder, "deep", "down", "foreman.db");
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function filled(jobs = 200): Promise<void> {
    const store = await openForTest(file);
    await Promise.all(Array.from({ length: jobs }, () => store.insertJob(aJob(), prompt)));
    await store.close();
  }

  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

  describe("keeps prompts private", () => {
    test("creates the folder for its user alone, and each file as well", async () => {
      const store = await openForTest(file);
      await store.insertJob(aJob(), prompt);
      await store.countByState();

      const found = readdirSync(join(folder, "deep", "down")).sort();
      expect(found).toEqual(["", ".lock", "-shm", "-wal"].map((end) => `foreman.db${end}`).sort());
      for (const name of found) expect(mode(join(folder, "deep", "down", name))).toBe("600");
      expect([mode(join(folder, "deep")), mode(join(folder, "deep", "down"))]).toEqual([
        "700",
        "700",
      ]);
      await store.close();
    });

    test("D6 takes from others what an older file allowed them", async () => {
      await filled(1);
      chmodSync(file, 0o644);

      await (await openForTest(file)).close();

      expect(mode(file)).toBe("600");
    });

    test.each(["", "-wal", "-shm", ".lock"])(
      "D6 refuses a symbolic link at foreman.db%s",
      async (end) => {
        await filled(1);
        const elsewhere = join(folder, "elsewhere");
        writeFileSync(elsewhere, "precious");
        rmSync(`${file}${end}`, { force: true });
        symlinkSync(elsewhere, `${file}${end}`);

        await expect(openForTest(file)).rejects.toMatchObject({
          code: "config_invalid",
          message: expect.stringContaining(`${file}${end}: it is a symbolic link`),
        });
        expect(readFileSync(elsewhere, "utf8")).toBe("precious");
      },
    );

    test("refuses a folder in the database's place", async () => {
      await expect(openForTest(folder)).rejects.toMatchObject({ code: "config_invalid" });
    });

    test.skipIf(process.getuid?.() !== 0)("D6 refuses a file of another user's", async () => {
      await filled(1);
      chownSync(file, 65534, 65534);

      await expect(openForTest(file)).rejects.toMatchObject({
        code: "config_invalid",
        message: expect.stringContaining("belongs to user 65534"),
      });
    });
  });

  describe("never begins a damaged database anew", () => {
    const overwrite = (path: string, at: number, text: string) => {
      writeSync(openSync(path, "r+"), text, at);
    };
    const garbage = "no database at all, but text of some length. ".repeat(200);

    test.each<[string, () => void]>([
      ["garbage", () => writeFileSync(file, garbage)],
      ["an empty file", () => truncateSync(file, 0)],
      [
        "an empty file beside a log",
        () => {
          truncateSync(file, 0);
          writeFileSync(`${file}-wal`, garbage);
        },
      ],
      ["a log that is none", () => writeFileSync(`${file}-wal`, garbage)],
      ["a file cut in half", () => truncateSync(file, statSync(file).size / 2)],
      ["a page overwritten in the midst", () => overwrite(file, 4096 * 6, garbage)],
      [
        "a file that is gone while its log is not",
        () => {
          rmSync(file);
          writeFileSync(`${file}-wal`, garbage);
        },
      ],
      [
        "another program's database",
        () => {
          rmSync(file);
          new Database(file).exec("CREATE TABLE theirs (x)").close();
        },
      ],
    ])("refuses %s, names the file, and leaves it alone", async (_, damage) => {
      await filled();
      damage();
      // An empty log says what none says, and a reader cannot help making one.
      const content = (path: string) => (existsSync(path) ? readFileSync(path, "latin1") : "");
      const bytes = () => content(file) + content(`${file}-wal`);
      const before = bytes();

      await expect(openForTest(file)).rejects.toMatchObject({
        code: "database_damaged",
        message: expect.stringContaining(file),
      });
      await expect(openForTest(file)).rejects.toMatchObject({ code: "database_damaged" });

      expect(bytes() === before).toBe(true);
    });

    test("opens what a kill -9 left, its log being in order", async () => {
      const process = new StoreProcess(file);
      await process.told("inserted", 5);
      await process.kill();
      expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);

      const store = await openForTest(file);

      expect((await store.countByState()).queued).toBeGreaterThanOrEqual(5);
      await store.close();
    });

    test("opens beside an empty log, and one whose first write never came", async () => {
      await filled(3);
      for (const log of ["", "\0".repeat(4096)]) {
        writeFileSync(`${file}-wal`, log);

        const store = await openForTest(file);

        expect((await store.countByState()).queued).toBe(3);
        await store.close();
      }
    });
  });

  test("says why when the folder cannot be made", async () => {
    writeFileSync(join(folder, "deep"), "a file in the folder's place");

    await expect(openForTest(file)).rejects.toMatchObject({
      code: "storage_failed",
      message: expect.stringContaining(file),
    });
  });

  test("sets what durability and privacy rest on, and finds it set after a read", async () => {
    await filled(1);
    const database = connectDatabase(file);
    const setting = (name: string) => database.pragma(name, { simple: true });

    database.prepare("SELECT * FROM job").all();

    expect({
      journal: setting("journal_mode"),
      synchronous: setting("synchronous"),
      foreignKeys: setting("foreign_keys"),
      busyTimeout: setting("busy_timeout"),
      journalBytesMax: setting("journal_size_limit"),
      autoVacuum: setting("auto_vacuum"),
      secureDelete: setting("secure_delete"),
    }).toEqual({
      journal: "wal",
      synchronous: 2,
      foreignKeys: 1,
      busyTimeout: 5000,
      journalBytesMax: 64 * 2 ** 20,
      autoVacuum: 2,
      secureDelete: 1,
    });
    const strict = database.prepare(
      "SELECT name, strict FROM pragma_table_list WHERE type = 'table'",
    );
    for (const table of strict.all() as { name: string; strict: number }[]) {
      if (!table.name.startsWith("sqlite_")) expect(table).toMatchObject({ strict: 1 });
    }
    database.close();
  });
});
