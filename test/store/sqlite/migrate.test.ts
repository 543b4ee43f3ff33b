import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readMigrations } from "../../../src/store/read-migrations.ts";
import { aJob, prompt } from "../job-maker.ts";
import { openForTest } from "./open-for-test.ts";

const own = new URL("../../../src/store/migrations/sqlite/", import.meta.url);

describe("migrating a SQLite store", () => {
  let folder: string;
  let file: string;
  let migrations: URL;
  let next: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "foreman-migrate-"));
    file = join(folder, "foreman.db");
    mkdirSync(join(folder, "migrations"));
    migrations = pathToFileURL(`${join(folder, "migrations")}/`);
    for (const name of readdirSync(own)) {
      copyFileSync(new URL(name, own), new URL(name, migrations));
    }
    next = readdirSync(own).length + 1;
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const number = (which: number) => String(which).padStart(4, "0");
  const add = (which: number, sql: string) =>
    writeFileSync(new URL(`${number(which)}_test.sql`, migrations), sql);
  const backups = () => readdirSync(folder).filter((name) => name.includes("before"));

  async function filled(): Promise<void> {
    const store = await openForTest(file);
    await store.insertJob(aJob(), prompt);
    await store.close();
  }

  function look<Answer>(path: string, read: (database: Database.Database) => Answer): Answer {
    const database = new Database(path, { readonly: true });
    const answer = read(database);
    database.close();
    return answer;
  }

  const version = (path: string) =>
    look(path, (database) => database.pragma("user_version", { simple: true }));

  test("brings a new database to the newest schema without a backup", async () => {
    await filled();

    expect(version(file)).toBe(readMigrations(own).length);
    expect(backups()).toEqual([]);
  });

  test("D8 keeps a private copy of an older database, then migrates it step by step", async () => {
    await filled();
    add(next, "CREATE TABLE later (x INTEGER) STRICT;");
    add(next + 1, "INSERT INTO later VALUES (7);");

    const store = await openForTest(file, { migrations });

    expect((await store.countByState()).queued).toBe(1);
    await store.close();
    expect(version(file)).toBe(next + 1);
    expect(look(file, (database) => database.prepare("SELECT x FROM later").all())).toEqual([
      { x: 7 },
    ]);
    const copy = `foreman.db.before-${number(next)}`;
    expect(backups()).toEqual([copy]);
    expect(version(join(folder, copy))).toBe(next - 1);
    expect(
      look(join(folder, copy), (database) =>
        database.prepare("SELECT count(*) AS n FROM job").get(),
      ),
    ).toEqual({ n: 1 });
    expect(statSync(join(folder, copy)).mode & 0o777).toBe(0o600);
  });

  test("leaves the old schema whole when a migration fails, and can try again", async () => {
    await filled();
    add(next, "CREATE TABLE later (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);");
    await expect(openForTest(file, { migrations })).rejects.toMatchObject({
      code: "storage_failed",
      message: expect.stringContaining("nowhere"),
    });
    expect(version(file)).toBe(next - 1);

    add(next, "CREATE TABLE later (x INTEGER) STRICT;");
    await (await openForTest(file, { migrations })).close();

    expect(version(file)).toBe(next);
  });

  test("D8 refuses a newer schema, naming file and versions, and touches nothing", async () => {
    await filled();
    add(next, "CREATE TABLE later (x INTEGER) STRICT;");
    const newer = await openForTest(file, { migrations });
    await newer.insertJob(aJob(), prompt);
    const crashed = join(folder, "crashed.db");
    for (const end of ["", "-wal"]) copyFileSync(`${file}${end}`, `${crashed}${end}`);
    await newer.close();
    const content = () => ["", "-wal"].map((end) => readFileSync(`${crashed}${end}`, "latin1"));
    const before = content();

    await expect(openForTest(crashed)).rejects.toMatchObject({
      code: "schema_newer",
      message: expect.stringMatching(
        new RegExp(`crashed.db has schema ${next}, .* up to ${next - 1}`),
      ),
    });

    expect(content()).toEqual(before);
    expect(before[1]).not.toBe("");
  });

  test("does not count a folder of migrations with a gap or a misnamed file", () => {
    add(next + 1, "SELECT 1;");
    expect(() => readMigrations(migrations)).toThrow("is not migration number");

    rmSync(new URL(`${number(next + 1)}_test.sql`, migrations));
    writeFileSync(new URL("notes.txt", migrations), "");
    expect(() => readMigrations(migrations)).toThrow("notes.txt is not migration number");
  });
});
