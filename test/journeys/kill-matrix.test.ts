/**
 * kill -9 of the daemon at chosen moments of a durable job's life. The moments are found by watching
 * the target's journal or the database, or made by holding the database's write lock, behind which
 * the daemon waits just before a commit. After each, the whole history is checked.
 */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { chatAbout, KillScene } from "../support/kill-scene.ts";

const answers = (url: string) => fetch(`${url}/livez`).then(({ ok }) => ok);

describe("a submission during which the daemon dies", () => {
  test("Q1 before the commit, was neither acknowledged nor stored, and can be repeated", async () => {
    const scene = await KillScene.open();
    await scene.boot();

    const release = scene.holdCommits();
    const client = await scene.submitUnheard(chatAbout("one"), "k");
    await answers(scene.url);
    await scene.kill();
    release();

    expect(client.text).toBe("");
    expect(scene.rows()).toEqual([]);
    await scene.boot();
    const id = await scene.submit(chatAbout("one"), "k");
    expect(await scene.ended(id)).toMatchObject({ state: "done", attempts: 1 });
    expect(scene.startCount).toBe(1);
    scene.expectSound();
  });

  test("Q2 after the commit, is the job that its idempotency key finds", async () => {
    const scene = await KillScene.open();
    await scene.boot();

    await scene.submitUnheard(chatAbout("one"), "k");
    scene.killAsSoonAs((rows) => rows.length === 1);
    await scene.kill();
    const stored = scene.rows()[0]?.id;
    await scene.boot();
    const id = await scene.submit(chatAbout("one"), "k");

    expect(id).toBe(stored);
    expect(await scene.ended(id)).toMatchObject({ state: "done", attempts: 1 });
    expect(scene.rows().length).toBe(1);
    scene.expectSound();
  });

  test("Q2 right after the 202, is never lost, be they many", async () => {
    const scene = await KillScene.open();
    await scene.boot();

    const bodies = Array.from({ length: 20 }, (_, i) => chatAbout(`job ${i}`, 2));
    const ids = await Promise.all(bodies.map((body) => scene.submit(body)));
    await scene.kill();
    await scene.boot();

    for (const id of ids) expect(await scene.ended(id)).toMatchObject({ state: "done" });
    scene.expectSound();
  });
});

describe("a job during which the daemon dies", () => {
  test("Q3 after the claim, before the target has read a byte, runs and loses no attempt", async () => {
    const scene = await KillScene.open();
    await scene.boot();

    await scene.submitUnheard(chatAbout("one"));
    scene.killAsSoonAs(([row]) => row?.state === "loading");
    const startsAtDeath = scene.startCount;
    await scene.kill();
    const [row] = scene.rows();
    await scene.boot();

    expect(startsAtDeath).toBe(0);
    expect(row).toMatchObject({ state: "loading", attempts: 1, last_attempt: 1 });
    expect(await scene.ended(row?.id ?? "")).toMatchObject({ state: "done", attempts: 1 });
    expect(scene.rows()[0]).toMatchObject({ last_attempt: 2, deaths: 1 });
    scene.expectSound();
  });

  test("Q3 before its claim's commit was never sent", async () => {
    const scene = await KillScene.open();
    await scene.boot();
    const { id: first, stall } = await scene.hangs("first");
    const second = await scene.submit(chatAbout("second"));

    const release = scene.holdCommits();
    stall.release();
    await scene.sees("response-end");
    await answers(scene.url);
    await scene.kill();
    release();
    const atDeath = [scene.row(first), scene.row(second)].map((row) => row?.state);
    const startsAtDeath = scene.startCount;
    await scene.boot();

    expect(atDeath).toEqual(["working", "queued"]);
    expect(startsAtDeath).toBe(1);
    for (const id of [first, second]) {
      expect(await scene.ended(id)).toMatchObject({ state: "done", attempts: 1 });
    }
    expect(scene.row(second)).toMatchObject({ last_attempt: 1, deaths: 0 });
    scene.expectSound();
  });

  test("Q4 while the model loads, runs again from its beginning", async () => {
    const scene = await KillScene.open({ loadMs: 300 });
    await scene.boot();

    const id = await scene.submit(chatAbout("one"));
    await scene.sees("load-start");
    await scene.kill();
    const atDeath = scene.row(id);
    await scene.boot();

    expect(atDeath).toMatchObject({ state: "loading" });
    expect(await scene.ended(id)).toMatchObject({ state: "done", attempts: 1 });
    expect(scene.startCount).toBe(2);
    scene.expectSound();
  });

  test("Q4 mid-stream, runs again, and nothing of the first half is kept", async () => {
    const scene = await KillScene.open();
    await scene.boot();

    const id = await scene.submit(chatAbout("one", 30, 10));
    await scene.sees("token", 5);
    await scene.kill();
    await scene.sees("generate-end");
    const wasCut = scene.events.some(({ outcome }) => outcome === "cancelled");
    await scene.boot();
    const again = await scene.show(id);

    expect(wasCut).toBe(true);
    expect(again.result).toBeNull();
    expect(await scene.ended(id)).toMatchObject({ state: "done", attempts: 1 });
    expect(scene.startCount).toBe(2);
    scene.expectSound();
  });

  test("Q5 after the target's end, before the result's commit, runs again", async () => {
    const scene = await KillScene.open();
    await scene.boot();
    const { id, stall } = await scene.hangs("one");

    const release = scene.holdCommits();
    stall.release();
    await scene.sees("response-end");
    await answers(scene.url);
    await scene.kill();
    release();
    const atDeath = scene.row(id);
    await scene.boot();

    expect(atDeath).toMatchObject({ state: "working" });
    expect(await scene.ended(id)).toMatchObject({ state: "done", attempts: 1 });
    expect(scene.startCount).toBe(2);
    scene.expectSound();
  });

  test("Q5 about the result's commit, has it or runs again, and is never lost", async () => {
    const scene = await KillScene.open();

    for (const [n, afterMs] of [0, 1, 3, 8].entries()) {
      await scene.boot();
      for (const { id } of scene.rows()) await scene.ended(id);
      const id = await scene.submit(chatAbout(`job ${n}`, 3, 5));
      await scene.sees("generate-end", scene.endCount + 1);
      await delay(afterMs);
      await scene.kill();
      expect(["loading", "working", "done"]).toContain(scene.row(id)?.state);
    }
    await scene.boot();
    for (const { id } of scene.rows()) {
      expect(await scene.ended(id)).toMatchObject({ state: "done", attempts: 1 });
    }
    scene.expectSound();
  });

  test("Q9 three times is failed as poison_item, and its neighbours proceed", async () => {
    const scene = await KillScene.open();
    await scene.boot();
    const poison = await scene.submit(chatAbout("poison", 2_000, 10));
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push(await scene.submit(chatAbout(`neighbour ${i}`)));

    for (let life = 1; life <= 3; life++) {
      await scene.sees("generate-start", life);
      await scene.kill();
      await scene.boot();
    }

    expect(await scene.show(poison)).toMatchObject({
      state: "failed",
      error: { code: "poison_item", message: expect.stringContaining("died 3 times") },
    });
    for (const id of ids) {
      expect(await scene.ended(id)).toMatchObject({ state: "done", attempts: 1 });
    }
    expect(scene.row(poison)).toMatchObject({ deaths: 3, last_attempt: 3 });
    expect(scene.startCount).toBe(6);
    scene.expectSound();
  });
});
