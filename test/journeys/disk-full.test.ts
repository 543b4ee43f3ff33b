/**
 * The whole daemon on a disk without room, and on one that somebody empties under its feet. strace
 * lets the kernel say that the disk is full, or a file system of some MiB is.
 */
import { renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { DiskFault, whyNoFaults } from "../support/disk-fault.ts";
import { healthBecomes, healthOf, passingStatuses, trySubmit } from "../support/disk-scene.ts";
import { chatAbout, KillScene } from "../support/kill-scene.ts";
import { mountSmallDisk, takeRoom } from "../support/small-disk.ts";
import { until } from "../support/until.ts";

const noFaults = whyNoFaults();
const endedMsMax = 15_000;

const noSpace = (scene: KillScene, inject: string) => {
  const files = [`${scene.file}-wal`];
  return DiskFault.on(scene.daemon, { calls: "pwrite64", files, inject: `error=ENOSPC${inject}` });
};

test.runIf(process.env.CI)("CI can let system calls fail", () => expect(noFaults).toBeNull());

describe.skipIf(noFaults !== null)("a daemon whose disk is full", () => {
  test("D1 for its nth write alone, takes the job or refuses it, and runs what it took", async () => {
    const scene = await KillScene.open();
    await scene.boot();
    const taken: string[] = [];
    const refused: string[] = [];

    for (const n of [1, 2, 3, 5, 8, 13, 18, 22, 26, 32, 40, 50]) {
      const fault = await noSpace(scene, `:when=${n}`);
      const { id, status, told } = await trySubmit(scene, chatAbout(`job ${n}`));
      if (id === null) refused.push(`${status} ${told}`);
      else taken.push(id);
      const isOver = () => id === null || scene.row(id)?.state === "done";
      await until(`write ${n} fails`, () => fault.count > 0 || isOver(), endedMsMax);
      await fault.lift();
    }
    for (const id of taken) {
      expect(await scene.ended(id, endedMsMax)).toMatchObject({ state: "done", attempts: 1 });
    }

    expect(taken.length).toBeGreaterThan(0);
    expect(refused.length).toBeGreaterThan(0);
    for (const told of refused) expect(told).toMatch(/^507 .*no space left for .*free space/);
    expect(scene.rows().length).toBe(taken.length);
    expect(scene.startCount).toBe(taken.length);
    scene.expectSound();
  }, 60_000);

  test("D1 while a job runs, keeps its answer in memory until there is room", async () => {
    const scene = await KillScene.open();
    await scene.boot();
    const { id: running, stall } = await scene.hangs("runs");
    const waiting = await scene.submit(chatAbout("waits"));

    const fault = await noSpace(scene, "");
    stall.release();
    await scene.sees("response-end");
    const failing = await healthBecomes(scene, 503);
    const refused = await trySubmit(scene, chatAbout("comes too late"));
    const passing = await passingStatuses(scene);
    const shown = [await scene.show(running), await scene.show(waiting)];
    await fault.lift();
    const ended = await scene.ended(running, endedMsMax);
    await scene.ended(waiting, endedMsMax);

    expect(failing.problem).toMatch(/no space left/);
    expect(refused).toMatchObject({ status: 507, told: expect.stringMatching(/no space left/) });
    expect(passing).toEqual([200, 200]);
    expect(shown).toMatchObject([
      { state: "working" },
      { state: "queued", reason: expect.stringMatching(/does not write/) },
    ]);
    expect(ended).toMatchObject({ state: "done", attempts: 1 });
    // One that ran, one on a socket, one that waited: none of them twice.
    expect(scene.startCount).toBe(3);
    scene.expectSound();
  }, 60_000);

  test("D1 while a chat on a socket runs, has its end on the disk as soon as there is room", async () => {
    const scene = await KillScene.open();
    await scene.boot();
    const stall = scene.stallAfter(3);
    const body = JSON.stringify(chatAbout("on a socket"));
    const answer = fetch(`${scene.url}/api/chat`, { method: "POST", body });
    await until("it works", () => scene.rows()[0]?.state === "working");

    const fault = await noSpace(scene, "");
    stall.release();
    const told = await (await answer).text();
    await until("its end is refused", () => fault.count > 0);
    const before = scene.rows();
    await fault.lift();
    await until("it has ended", () => scene.rows()[0]?.state === "done", endedMsMax);

    expect(told).toContain('"done":true');
    expect(before).toMatchObject([{ state: "working" }]);
  }, 60_000);
});

const needsRoot = "mounting a tmpfs needs root";

describe("a daemon on a disk that", () => {
  test("D1 is full at its start, says so and goes; what waits is there when it may start", async (context) => {
    const disk = mountSmallDisk(16) ?? context.skip(needsRoot);
    const scene = await KillScene.open({}, { FOREMAN_DB: join(disk, "foreman.db"), ...noFloor });
    await scene.boot();
    scene.stallAfter(1);
    const id = await scene.submit(chatAbout("one"));
    await until("it works", () => scene.row(id)?.state === "working");
    await scene.kill();

    const giveBack = takeRoom(disk, "all");
    const code = await scene.spawn().exited();
    const { output } = scene.daemon;
    giveBack();
    await scene.boot();

    expect(code).toBe(74);
    expect(output).toMatch(/^foreman: no space left .*foreman\.db/m);
    expect(await scene.ended(id)).toMatchObject({ state: "done" });
    scene.expectSound();
  });

  test("D1 has less than its floor left, takes no durable job and says so; the rest goes on", async (context) => {
    const disk = mountSmallDisk(32) ?? context.skip(needsRoot);
    const settings = { FOREMAN_DB: join(disk, "foreman.db"), FOREMAN_DISK_FLOOR: "16m" };
    const scene = await KillScene.open({}, settings);
    await scene.boot();
    const stall = scene.stallAfter(3);
    const running = await scene.submit(chatAbout("runs", 2_000, 0));
    await scene.sees("token", 3);

    const giveBack = takeRoom(disk, 18);
    const refused = await trySubmit(scene, chatAbout("comes too late"));
    stall.release();
    const ended = await scene.ended(running);
    const passing = await passingStatuses(scene);
    // The first heartbeat comes with the start.
    scene.daemon.kill("SIGTERM");
    await scene.daemon.exited();
    await scene.boot();
    const failing = await healthBecomes(scene, 503);
    giveBack();
    const taken = await trySubmit(scene, chatAbout("comes in time"));

    expect(refused).toMatchObject({
      status: 507,
      told: expect.stringMatching(/FOREMAN_DISK_FLOOR keeps 16 MiB free/),
    });
    expect(ended).toMatchObject({ state: "done", attempts: 1 });
    expect(passing).toEqual([200, 200]);
    expect(failing.problem).toMatch(/FOREMAN_DISK_FLOOR/);
    expect(await scene.ended(taken.id ?? "")).toMatchObject({ state: "done" });
    scene.expectSound();
  }, 40_000);
});

const noFloor = { FOREMAN_DISK_FLOOR: "0" };

test("D3 a daemon whose folder is gone takes no durable job and says so; the rest goes on", async () => {
  const scene = await KillScene.open();
  await scene.boot();
  const folder = dirname(scene.file);
  expect((await healthOf(scene)).status).toBe(200);

  renameSync(folder, `${folder}.away`);
  const refused = await trySubmit(scene, chatAbout("in vain"));
  const passing = await passingStatuses(scene);
  const failing = await healthBecomes(scene, 503);
  renameSync(`${folder}.away`, folder);
  const taken = await trySubmit(scene, chatAbout("taken"));
  await healthBecomes(scene, 200);

  expect(refused).toMatchObject({ status: 503, told: expect.stringMatching(/restart foreman/) });
  expect(passing).toEqual([200, 200]);
  expect(failing.problem).toMatch(/foreman\.db is not where it was opened: ENOENT/);
  expect(await scene.ended(taken.id ?? "")).toMatchObject({ state: "done" });
  scene.expectSound();
}, 40_000);
