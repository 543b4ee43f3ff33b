/** What becomes of a daemon whose own world breaks: its log is not read, or an error escapes. */
import { expect, test } from "vitest";
import { DaemonProcess } from "../support/daemon-process.ts";
import { chatAbout, KillScene } from "../support/kill-scene.ts";
import { until } from "../support/until.ts";

const throwsAtSignal = {
  NODE_OPTIONS: `--import=${new URL("../support/throw-at-signal.ts", import.meta.url)}`,
};

test("O8 X7 works though nobody reads its log; an error that nobody caught ends it, said once", async () => {
  const scene = await KillScene.open({}, { ...throwsAtSignal, FOREMAN_LOG_LEVEL: "debug" });
  const daemon = new DaemonProcess(scene.settings);
  await daemon.listening(scene.url, 20_000);
  daemon.child.stdout?.pause();

  // A pipe holds 64 KiB; each job says more than half a kilobyte.
  const ids: string[] = [];
  for (let count = 0; count < 200; count += 1) ids.push(await scene.submit(chatAbout("one", 1)));
  for (const id of ids) await scene.ended(id, 20_000);
  const alive = await fetch(`${scene.url}/livez`);
  const unread = daemon.output.length;
  scene.stallAfter(1);
  const running = await scene.submit(chatAbout("two"));
  await until("it runs", () => scene.row(running)?.state === "working");
  daemon.child.stdout?.resume();
  daemon.child.kill("SIGUSR2");

  expect(alive.status).toBe(200);
  expect(await daemon.exited()).toBe(70);
  await until("its log is read", () => daemon.output.length > unread + 65_536);
  expect(daemon.output.match(/nobody foresaw this/g)?.length).toBeGreaterThan(0);
  expect(daemon.output.match(/foreman cannot go on/g)).toHaveLength(1);

  await scene.boot();
  expect(await scene.ended(running)).toMatchObject({ state: "done" });
});
