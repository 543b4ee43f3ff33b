/** A daemon that may open no more files, which the kernel is told of while it works. */
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { chatAbout, KillScene } from "../support/kill-scene.ts";
import { until } from "../support/until.ts";

const hasPrlimit = spawnSync("prlimit", ["--version"]).status === 0;
const tickMs = 10;

test.skipIf(!hasPrlimit)(
  "O3 without a descriptor left, goes on with what it has, does not spin, and recovers",
  async () => {
    const scene = await KillScene.open();
    await scene.boot();
    const { id: running, stall } = await scene.hangs("runs");
    const waiting = await scene.submit(chatAbout("waits"));
    const pid = scene.daemon.child.pid ?? 0;
    const open = readdirSync(`/proc/${pid}/fd`).length;
    execFileSync("prlimit", ["--pid", String(pid), `--nofile=${open + 4}:${open + 4}`]);

    const flood = Array.from({ length: 60 }, () => {
      const socket = connect(scene.port, "127.0.0.1");
      socket.on("error", () => {});
      return socket;
    });
    onTestFinished(() => flood.forEach((socket) => void socket.destroy()));
    await until("none is left", () => readdirSync(`/proc/${pid}/fd`).length >= open + 4);
    stall.release();
    await until("its end is on the disk", () => scene.row(running)?.state === "done", 10_000);
    const cpuBeforeMs = cpuMsOf(pid);
    await delay(1_000);
    const cpuMs = cpuMsOf(pid) - cpuBeforeMs;
    for (const socket of flood) socket.destroy();

    expect(await scene.ended(waiting, 15_000)).toMatchObject({ state: "done" });
    expect((await fetch(`${scene.url}/healthz`)).status).toBe(200);
    expect(scene.daemon.child.exitCode).toBeNull();
    // A loop that failed to accept, over and over, would take the whole second.
    expect(cpuMs).toBeLessThan(500);
    scene.expectSound();
  },
  60_000,
);

/** Time on a processor, by /proc. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}
