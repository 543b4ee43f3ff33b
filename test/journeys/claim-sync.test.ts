/**
 * A claim on a disk whose syncs take long, or fail: the job is sent when the claim is written, and the
 * sync follows.
 */
import { expect, test } from "vitest";
import { DiskFault, whyNoFaults } from "../support/disk-fault.ts";
import { chatAbout, KillScene } from "../support/kill-scene.ts";
import { until } from "../support/until.ts";

/** A log that was emptied is synced once more, for its head, by the first commit in it. */
const syncsOfInsert = 2;
const syncMs = 600;

test.skipIf(whyNoFaults() !== null)(
  "a batch job is sent before its claim is synced, which is synced though nothing follows",
  async () => {
    const scene = await KillScene.open();
    await scene.boot();
    const silence = scene.sim.fail({ route: "/api/chat", times: 1, fault: { kind: "stall" } });
    const fault = await DiskFault.on(scene.daemon, {
      calls: "fdatasync,fsync",
      files: [`${scene.file}-wal`],
      inject: `delay_enter=${syncMs}ms`,
    });

    const id = await scene.submit(chatAbout("slow disk"));
    const acknowledgedAtMs = performance.now();
    await scene.sees("request");
    const sentAfterMs = performance.now() - acknowledgedAtMs;

    expect(sentAfterMs).toBeLessThan(syncMs / 2);
    expect(scene.row(id)).toMatchObject({ state: "loading", attempts: 1 });
    await until("the claim is synced", () => fault.count > syncsOfInsert, 2 * syncMs);
    await fault.lift();
    silence.release();
    expect(await scene.ended(id)).toMatchObject({ state: "done", attempts: 1 });
    scene.expectSound();
  },
);

test.skipIf(whyNoFaults() !== null)(
  "D2 a claim whose sync fails ends the daemon, and the next one runs the job",
  async () => {
    const scene = await KillScene.open();
    await scene.boot();
    const files = [`${scene.file}-wal`];
    // SQLite's own syncs are fsync: those of the job's insertion succeed.
    await DiskFault.on(scene.daemon, { calls: "fdatasync", files, inject: "error=EIO" });

    const id = await scene.submit(chatAbout("broken disk"));

    expect(await scene.daemon.exited()).toBe(74);
    expect(JSON.parse(scene.daemon.output.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
      msg: "foreman cannot go on",
      err: {
        message: expect.stringMatching(/foreman\.db failed at a sync of its log: EIO.*next start/),
      },
    });
    scene.history.inspect();
    await scene.boot();
    expect(await scene.ended(id, 15_000)).toMatchObject({ state: "done" });
    scene.expectSound();
  },
);
