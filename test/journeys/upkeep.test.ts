/** Backups and damage as an operator meets them: by foreman's own routes, on files of their own. */
import { copyFileSync, openSync, statSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Clock, systemClock } from "../../src/clock.ts";
import { StoreProcess } from "../store/sqlite/store-process.ts";
import { History } from "../support/history.ts";
import { jobRows } from "../support/job-rows.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const mib = 2 ** 20;
const model = { models: [{ name: "llama3.2", tokens: 3, tokenMs: 2 }] };

/** Long pauses pass at once: nobody waits for ten seconds here. */
const hastyClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms === 10_000 ? 50 : ms, signal),
};

async function folderOf(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "foreman-upkeep-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe("POST /foreman/backup", () => {
  test("D7: copies a busy foreman's jobs, and another one goes on from the copy", async () => {
    const sim = await startSim(model);
    const first = await startForeman(sim.url);
    const restored = join(await folderOf(), "foreman.db");
    const history = new History(restored);
    const submit = async (about: string) => {
      const body = JSON.stringify({
        model: "llama3.2",
        messages: [{ role: "user", content: about }],
      });
      history.submits(body);
      const answer = await fetch(`${first.url}/jobs`, { method: "POST", body });
      return ((await answer.json()) as { job_id: string }).job_id;
    };
    for (let i = 0; i < 60; i++) history.acknowledged(await submit(`job ${i}`), null);

    const answered = fetch(`${first.url}/foreman/backup`, { method: "POST" });
    const later = Array.from({ length: 60 }, (_, i) => submit(`later ${i}`));
    const answer = await answered;
    await Promise.all(later);
    const backup = (await answer.json()) as { name: string; bytes: number };
    await first.stop();

    expect(answer.status).toBe(201);
    const copy = join(dirname(first.databaseFile), "backups", backup.name);
    expect(statSync(copy).size).toBe(backup.bytes);
    copyFileSync(copy, restored);
    history.inspect();
    const endedBefore = jobRows(restored).filter(({ state }) => state === "done");
    const hashes = new Set(endedBefore.map(({ body_hash }) => body_hash));
    const requestIds = new Set(
      sim.journal.events
        .filter(({ bodySha256 = "" }) => hashes.has(bodySha256))
        .map(({ requestId }) => requestId),
    );
    const eventsBefore = sim.journal.events.filter(({ requestId }) => requestIds.has(requestId));
    const secondSim = await startSim(model);
    const second = await startForeman(secondSim.url, { FOREMAN_DB: restored });
    const isOver = () => jobRows(restored).every(({ state }) => state === "done");
    await until("all of the copy's jobs are done", isOver, 15_000);
    await second.stop();

    expect(history.violations([...eventsBefore, ...secondSim.journal.events])).toEqual([]);
    expect(jobRows(restored).length).toBeGreaterThan(endedBefore.length);
  }, 40_000);

  test("wants the token, as every route of foreman's own", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_TOKEN: "secret" });
    const ask = (headers: Record<string, string>) =>
      fetch(`${foreman.url}/foreman/backup`, { method: "POST", headers });

    expect((await ask({})).status).toBe(401);
    expect((await ask({ Authorization: "Bearer secret" })).status).toBe(201);
  });
});

describe("a large database that was not closed in order", () => {
  /** What a daemon that died left behind, past the size that is checked at the start. */
  async function leftBehind(): Promise<string> {
    const file = join(await folderOf(), "foreman.db");
    const process = new StoreProcess(file, { bodyBytes: mib });
    await process.told("inserted", 70);
    await process.kill();
    return file;
  }

  const health = async (url: string) => {
    const answer = await fetch(`${url}/healthz`);
    return { statusCode: answer.status, ...((await answer.json()) as object) };
  };

  test("D4: is checked in the background, and its damage is told with the file's name", async () => {
    const sim = await startSim();
    const file = await leftBehind();
    const sound = await startForeman(sim.url, { FOREMAN_DB: file }, { clock: hastyClock });
    await until("it was checked", async () => {
      const { store } = (await health(sound.url)) as unknown as { store: { integrity: string } };
      return store.integrity === "ok";
    });
    expect(await health(sound.url)).toMatchObject({ statusCode: 200 });
    await sound.stop();

    const damaged = await leftBehind();
    // What the log holds would stand for the pages of the file: it is folded in before.
    new Database(damaged).close();
    writeSync(openSync(damaged, "r+"), "no page of a database. ".repeat(400), 40 * mib);
    const settings = { FOREMAN_DB: damaged };
    const foreman = await startForeman(sim.url, settings, { clock: hastyClock });
    await until("it was found", async () => (await health(foreman.url)).statusCode === 503);

    expect(await health(foreman.url)).toMatchObject({
      status: "failing",
      problem: expect.stringContaining(`${damaged} is damaged: `),
      store: { integrity: "damaged", commit_ms: expect.any(Number), wal_bytes: expect.any(Number) },
    });
  }, 40_000);
});
