/**
 * The whole daemon on a disk that is broken, and killed in the midst of its system calls; strace
 * lets the kernel do both (see test/support/disk-fault.ts). Each death's next life is the life of
 * the next fault.
 */
import { describe, expect, test } from "vitest";
import { DiskFault, whyNoFaults } from "../support/disk-fault.ts";
import { trySubmit } from "../support/disk-scene.ts";
import { chatAbout, KillScene } from "../support/kill-scene.ts";

const noFaults = whyNoFaults();
const endedMsMax = 15_000;

const syncs = "fdatasync,fsync";
const lastLine = (output: string) => output.trimEnd().split("\n").at(-1) ?? "";

/** About so many commits and the log is folded into the file. */
const words = "x".repeat(2 ** 20);

async function endAll(scene: KillScene): Promise<void> {
  for (const { id } of scene.rows()) {
    expect(await scene.ended(id, endedMsMax)).toMatchObject({ state: "done" });
  }
}

describe.skipIf(noFaults !== null)("a daemon whose disk is broken", () => {
  test("D2 exits at once and says why, whatever fails, and loses nothing", async () => {
    const scene = await KillScene.open();
    await scene.boot();

    for (const [calls, error] of [
      [syncs, "EIO"],
      ["pwrite64", "EIO"],
      ["pwrite64", "EROFS"],
      [syncs, "ENOSPC"],
    ] as const) {
      const what = `${error} from ${calls}`;
      scene.stallAfter(1);
      const promised = await scene.submit(chatAbout(what));
      await scene.sees("token", scene.startCount);
      const files = [`${scene.file}-wal`];
      await DiskFault.on(scene.daemon, { calls, files, inject: `error=${error}` });
      const inVain = await trySubmit(scene, chatAbout(`${what} in vain`)).catch(() => null);

      expect(inVain?.status ?? 500, what).toBe(500);
      expect(await scene.daemon.exited(), what).toBe(74);
      expect(JSON.parse(lastLine(scene.daemon.output)), what).toMatchObject({
        level: 60,
        msg: "foreman cannot go on",
        err: { message: expect.stringMatching(/foreman\.db failed .*SQLITE_IOERR.*next start/) },
      });
      scene.history.inspect();
      await scene.boot();
      const ended = await scene.ended(promised, endedMsMax);
      expect(ended, what).toMatchObject({ state: "done", attempts: 1 });
    }

    await endAll(scene);
    scene.expectSound();
  }, 60_000);

  test("D2 also while it folds in its log, within a heartbeat", async () => {
    const scene = await KillScene.open();
    await scene.boot();
    await scene.sim.down();

    await DiskFault.on(scene.daemon, { calls: syncs, files: [scene.file], inject: "error=EIO" });
    for (let i = 0; i < 6; i++) await scene.submit(chatAbout(`${i} ${words}`));
    const code = await scene.daemon.exited();
    const last = lastLine(scene.daemon.output);
    scene.history.inspect();
    await scene.sim.up();
    await scene.boot();

    expect(code).toBe(74);
    expect(last).toMatch(/folding in its log: SQLITE_IOERR_FSYNC/);
    await endAll(scene);
    scene.expectSound();
  }, 40_000);
});

test.skipIf(noFaults !== null)(
  "Q7 a daemon that is killed in the midst of a write or a sync loses nothing",
  async () => {
    const scene = await KillScene.open();
    await scene.boot();
    let jobCount = 0;

    for (const [file, calls, nth] of [
      ...[1, 2, 9].map((n) => [`${scene.file}-wal`, "pwrite64", n] as const),
      [`${scene.file}-wal`, syncs, 1],
      ...[1, 40].map((n) => [scene.file, "pwrite64", n] as const),
      [scene.file, syncs, 1],
    ] as const) {
      await scene.sim.down();
      const inject = `signal=KILL:when=${nth}`;
      await DiskFault.on(scene.daemon, { calls, files: [file], inject });
      while (!scene.daemon.isOver) {
        jobCount += 1;
        await trySubmit(scene, chatAbout(`${jobCount} ${words}`)).catch(() => null);
      }
      await scene.killed();
      await scene.sim.up();
      await scene.boot();
      await endAll(scene);
    }

    scene.expectSound();
  },
  60_000,
);
