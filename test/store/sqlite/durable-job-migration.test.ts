import { copyFileSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type JobId, newJobId } from "../../../src/job.ts";
import type { Store } from "../../../src/store/store.ts";
import { answered, done } from "../contract/endings.ts";
import { aJob } from "../job-maker.ts";
import { writeFirstSchema } from "./first-schema.ts";
import { openForTest } from "./open-for-test.ts";

// A database of schema 1, written by its own migration and left as by a kill -9, commits in the
// log and jobs in every state, meets a program of schema 2.

describe("the migration to durable jobs", () => {
  let folder: string;
  let file: string;
  let store: Store;
  const ids = Array.from({ length: 5 }, () => newJobId(1));
  const [waiting, onSocket, loading, working, ended] = ids as [JobId, JobId, JobId, JobId, JobId];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "foreman-schema-2-"));
    const alive = join(folder, "alive.db");
    file = join(folder, "foreman.db");
    const running = { isDurable: 1, attempts: 2, endedAtMs: null, body: "work" } as const;
    const holder = writeFirstSchema(alive, [
      { ...running, id: waiting, state: "queued", attempts: 0 },
      { ...running, id: onSocket, state: "queued", attempts: 0, isDurable: 0, body: null },
      { ...running, id: loading, state: "loading" },
      { ...running, id: working, state: "working" },
      { ...running, id: ended, state: "done", endedAtMs: 7, body: null },
    ]);
    for (const end of ["", "-wal"]) copyFileSync(`${alive}${end}`, `${file}${end}`);
    holder.close();
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
    store = await openForTest(file);
  });

  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("carries every job over, with its order, body and attempts", async () => {
    const listed = await store.page({ limit: 9 });

    expect(listed.map(({ id }) => id)).toEqual(ids.toReversed());
    for (const job of listed) {
      expect(job).toMatchObject({ preemptions: 0, notBeforeMs: null, client: "ann" });
    }
    expect(await store.countByState()).toMatchObject({
      queued: 2,
      loading: 1,
      working: 1,
      done: 1,
    });
    for (const id of [waiting, loading, working]) {
      expect(Buffer.from((await store.body(id)) ?? []).toString()).toBe("work");
    }
    expect(await store.answer(ended)).toBeNull();
  });

  test("lets what waited and ran go on as it would have", async () => {
    expect(await store.recoverInterrupted(9)).toEqual({
      requeued: 2,
      cancelled: ["batch"],
      poisoned: [],
    });

    const lane = { class: "batch", loadKey: "m|", client: "ann" } as const;
    expect(await store.lanes()).toEqual([{ ...lane, depth: 3 }]);
    const queued = await store.waitingIn(lane, 0, 9);
    expect(queued.map(({ id }) => id)).toEqual([waiting, loading, working]);
    expect(queued[1]).toMatchObject({ attempts: 1, lastAttempt: 2 });
    await store.claim(working, 3, 10);
    await store.markWorking(working, 3, 6);
    expect(await store.settle(working, 3, done, 11, answered)).toBe("settled");
    expect(await store.prune(8, 9)).toBe(1);
    const insertion = await store.insertJob(aJob(), null, { idempotencyKey: "k" });
    expect(insertion).toMatchObject({ kind: "inserted" });
  });

  test("keeps a private copy of schema 1, whole, also what was in the log alone", async () => {
    const copy = `${file}.before-0002`;

    const old = new Database(copy, { readonly: true });
    expect(old.pragma("user_version", { simple: true })).toBe(1);
    expect(old.pragma("integrity_check", { simple: true })).toBe("ok");
    expect(old.prepare("SELECT id FROM job ORDER BY seq").pluck().all()).toEqual(ids);
    expect(old.prepare("SELECT count(*) FROM payload").pluck().get()).toBe(3);
    old.close();
    expect(statSync(copy).mode & 0o777).toBe(0o600);
  });

  test("leaves a sound database, in which no row breaks what the schema says", async () => {
    await store.close();

    const database = new Database(file, { readonly: true });
    expect(database.pragma("user_version", { simple: true })).toBeGreaterThanOrEqual(2);
    expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
    expect(database.pragma("foreign_key_check")).toEqual([]);
    database.close();
  });
});
