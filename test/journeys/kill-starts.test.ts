/** Starts and stops of a daemon that has durable jobs: killed, asked to go, and with many waiting. */
import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { newJobId } from "../../src/job.ts";
import { writeFirstSchema } from "../store/sqlite/first-schema.ts";
import { lookInto } from "../support/job-rows.ts";
import { chatAbout, KillScene } from "../support/kill-scene.ts";
import { until } from "../support/until.ts";

/** A daemon has been here and made its tables; now there are `count` jobs more, all in one state. */
async function withStored(scene: KillScene, count: number, state: "queued" | "loading") {
  await scene.boot();
  scene.daemon.kill("SIGTERM");
  expect(await scene.daemon.exited()).toBe(0);
  const body = JSON.stringify(chatAbout("stored", 1));
  const bodyHash = createHash("sha256").update(body).digest("hex");
  const attempts = state === "queued" ? 0 : 1;
  const database = new Database(scene.file);
  const insertJob = database.prepare(`
    INSERT INTO job
      (id, class, client, route, model, runner_key, is_durable, body_bytes, body_hash,
       enqueued_at_ms, state, last_attempt, attempts)
    VALUES
      (?, 'batch', 'ann', '/api/chat', 'llama3.2', 'key', 1, ?, ?, 0, ?, ?, ?)
    RETURNING seq`);
  const insertPayload = database.prepare("INSERT INTO payload (seq, body) VALUES (?, ?)");
  database.transaction(() => {
    for (let i = 0; i < count; i++) {
      const facts = [newJobId(1), body.length, bodyHash, state, attempts, attempts];
      const { seq } = insertJob.get(...facts) as { seq: number };
      insertPayload.run(seq, Buffer.from(body));
    }
  })();
  database.close();
}

/** As a daemon that dies with all its jobs running leaves them, without a death before. */
function runAgain(file: string): void {
  const database = new Database(file);
  database.exec("UPDATE job SET state = 'loading', deaths = 0, attempts = 1");
  database.close();
}

const countsIn = (file: string) =>
  lookInto(file, (database) =>
    database.prepare("SELECT state, deaths, count(*) AS n FROM job GROUP BY 1, 2").all(),
  );

describe("a daemon that is killed while it starts", () => {
  test("Q7 in its recovery, has recovered all jobs or none, and counts one death", async () => {
    const scene = await KillScene.open();
    await withStored(scene, 10_000, "loading");
    await scene.sim.down();

    const before = [{ state: "loading", deaths: 0, n: 10_000 }];
    const after = [{ state: "queued", deaths: 1, n: 10_000 }];
    for (const ms of [0, 10, 30]) {
      const daemon = scene.spawn();
      await until("it recovers next", () => daemon.output.includes("store opened"));
      await delay(ms);
      await scene.kill();
      expect([before, after]).toContainEqual(countsIn(scene.file));
      runAgain(scene.file);
    }
    await scene.boot();

    expect(countsIn(scene.file)).toEqual(after);
  }, 60_000);

  test("Q7 in a migration, leaves the old schema or the new one, and every job", async () => {
    const scene = await KillScene.open();
    const ended = { state: "done", isDurable: 1, attempts: 1, body: null } as const;
    const rows = Array.from({ length: 10_000 }, () => ({
      ...ended,
      id: newJobId(Date.now()),
      endedAtMs: Date.now(),
    }));
    writeFirstSchema(scene.file, rows).close();

    const backup = `${scene.file}.before-0002`;
    // While the copy is made, and after it, when the schema changes.
    for (const [begun, ms] of [
      [`${backup}.new`, 0],
      [`${backup}.new`, 10],
      [backup, 0],
      [backup, 10],
      [backup, 100],
    ] as const) {
      rmSync(backup, { force: true });
      const daemon = scene.spawn();
      await until("it migrates", () => existsSync(begun) || daemon.output.includes("store opened"));
      await delay(ms);
      await scene.kill();
      const [version, columns] = lookInto(scene.file, (database) => [
        database.pragma("user_version", { simple: true }) as number,
        database.pragma("table_info(job)") as { name: string }[],
      ]);
      const isNew = columns.some(({ name }) => name === "not_before_ms");
      expect(isNew).toBe(version > 1);
    }
    await scene.boot();

    expect(countsIn(scene.file)).toEqual([{ state: "done", deaths: 0, n: 10_000 }]);
    const id = await scene.submit(chatAbout("new"));
    expect(await scene.ended(id)).toMatchObject({ state: "done" });
  }, 60_000);
});

describe("a daemon that is asked to go with durable jobs", () => {
  test("X1 cuts what runs at its deadline, leaves the rest, exits 0, and nothing is lost", async () => {
    const scene = await KillScene.open();
    await scene.boot({ FOREMAN_DRAIN_TIMEOUT: "100ms" });
    const running = await scene.submit(chatAbout("runs", 200, 10));
    const ids = [running];
    for (let i = 0; i < 5; i++) ids.push(await scene.submit(chatAbout(`job ${i}`)));
    await scene.sees("token", 3);

    scene.daemon.kill("SIGTERM");
    const code = await scene.daemon.exited();
    const left = scene.rows();
    await scene.boot();
    for (const id of ids) await scene.ended(id);

    expect(code).toBe(0);
    expect(left.map(({ state }) => state)).toEqual(ids.map(() => "queued"));
    expect(left[0]).toMatchObject({ attempts: 0, deaths: 0, put_back_why: "shutdown" });
    expect(left.slice(1).every(({ last_attempt }) => last_attempt === 0)).toBe(true);
    for (const row of scene.rows()) expect(row).toMatchObject({ state: "done", attempts: 1 });
    expect(scene.startCount).toBe(ids.length + 1);
    scene.expectSound();
  });

  test("X2 and is killed while it drains, recovers what ran at the next start", async () => {
    const scene = await KillScene.open();
    await scene.boot();
    const ids = [await scene.submit(chatAbout("runs", 100, 10))];
    ids.push(await scene.submit(chatAbout("waits")));
    await scene.sees("token", 3);

    scene.daemon.kill("SIGTERM");
    await until("it drains", () => scene.daemon.output.includes("foreman draining"));
    await scene.kill();
    const left = scene.rows().map(({ state }) => state);
    await scene.boot();
    for (const id of ids) await scene.ended(id);

    expect(left).toEqual(["working", "queued"]);
    expect(scene.rows().map(({ deaths }) => deaths)).toEqual([1, 0]);
    for (const row of scene.rows()) expect(row).toMatchObject({ state: "done", attempts: 1 });
    scene.expectSound();
  });
});

describe("a daemon that starts with 100,000 jobs waiting", () => {
  test("X6 is ready within 5 s, and runs the oldest first", async () => {
    const scene = await KillScene.open();
    await withStored(scene, 100_000, "queued");

    const startedAtMs = performance.now();
    await scene.boot();
    const ready = await fetch(`${scene.url}/readyz`);
    const tookMs = performance.now() - startedAtMs;
    await until("some have run", () => scene.startCount >= 5);
    await scene.kill();

    expect(ready.status).toBe(200);
    expect(tookMs).toBeLessThan(5_000);
    const ended = lookInto(scene.file, (database) =>
      database.prepare("SELECT seq FROM job WHERE state = 'done' ORDER BY seq").pluck().all(),
    );
    expect(ended.length).toBeGreaterThanOrEqual(4);
    expect(ended).toEqual(ended.map((_, i) => i + 1));
  }, 60_000);
});
