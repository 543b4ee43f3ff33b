/**
 * Power that fails: the log of a working store is cut at each sector behind an acknowledged commit,
 * and what stood behind the cut is missing, torn or there again further on, as a disk may leave what
 * nobody has synced. That a commit is synced before it is acknowledged is D2's to show.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { aJob } from "../job-maker.ts";
import { openForTest } from "./open-for-test.ts";

const sectorBytes = 512;

type Acknowledged = { readonly id: string; readonly logBytes: number };

test("Q11 leaves a sound database with all that was acknowledged, and nothing out of order", async () => {
  const folder = mkdtempSync(join(tmpdir(), "foreman-power-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "foreman.db");
  const store = await openForTest(file);
  const acknowledged: Acknowledged[] = [];
  for (let i = 0; i < 5; i++) {
    const job = aJob();
    await store.insertJob(job, Buffer.alloc(600, "x"));
    acknowledged.push({ id: job.id, logBytes: statSync(`${file}-wal`).size });
  }
  const left = join(folder, "left.db");
  copyFileSync(file, `${left}.whole`);
  const log = readFileSync(`${file}-wal`);
  await store.close();

  const first = acknowledged[0]?.logBytes ?? 0;
  const found = new Set<number>();
  for (let at = first, turn = 0; at <= log.length; at += sectorBytes, turn++) {
    copyFileSync(`${left}.whole`, left);
    writeFileSync(`${left}-wal`, tails[turn % tails.length]?.(log, at) ?? "");
    const ids = idsIn(left);

    const kept = acknowledged.filter(({ logBytes }) => logBytes <= at).map(({ id }) => id);
    expect(ids.slice(0, kept.length), `cut at ${at}`).toEqual(kept);
    expect(ids, `cut at ${at}`).toEqual(acknowledged.map(({ id }) => id).slice(0, ids.length));
    found.add(ids.length);
  }
  expect([...found].toSorted()).toEqual([1, 2, 3, 4, 5]);

  copyFileSync(`${left}.whole`, left);
  writeFileSync(`${left}-wal`, log.subarray(0, (acknowledged[2]?.logBytes ?? 0) + 700));
  const next = await openForTest(left);
  await next.insertJob(aJob(), null);
  expect((await next.page({ limit: 9 })).map(({ arrival }) => arrival)).toEqual([4, 3, 2, 1]);
  await next.close();
}, 60_000);

/** What may stand in the log from the cut on. */
const tails: readonly ((log: Buffer, at: number) => Buffer)[] = [
  (log, at) => log.subarray(0, at),
  // The sector there is lost, those behind it were written.
  (log, at) => Buffer.concat([log.subarray(0, at), zeros, log.subarray(at + sectorBytes)]),
  (log, at) => Buffer.concat([log.subarray(0, at), Buffer.alloc(sectorBytes, 0xa5)]),
  (log, at) => Buffer.concat([log.subarray(0, at), log.subarray(at).map(() => 0)]),
];

const zeros = Buffer.alloc(sectorBytes);

/** The jobs that a start would find, in their order. */
function idsIn(file: string): readonly unknown[] {
  rmSync(`${file}-shm`, { force: true });
  const database = new Database(file, { fileMustExist: true });
  expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
  const ids = database.prepare("SELECT id FROM job ORDER BY seq").pluck().all();
  database.close();
  return ids;
}
