/** Whoever follows a job through restarts, crashes and drains of the daemon. */
import { describe, expect, test } from "vitest";
import { JobFollower } from "../support/job-follower.ts";
import { chatAbout, KillScene } from "../support/kill-scene.ts";
import { RawClient } from "../support/raw-client.ts";
import { until } from "../support/until.ts";

const get = (id: string) => `GET /jobs/${id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n`;

describe("an EventSource that follows a job", () => {
  test("hears each state once over a kill -9, as if nothing had happened between", async () => {
    const scene = await KillScene.open();
    await scene.boot();
    const id = await scene.submit(chatAbout("one", 100, 20));
    const follower = new JobFollower(scene.url, id);
    await until("it runs", () => follower.told.at(-1) === "working");

    await scene.kill();
    await scene.boot();
    await until("it ends", () => follower.told.at(-1) === "done", 20_000);
    await until("it comes no more", () => follower.isClosed);

    const half = ["queued", "loading", "working"];
    expect(follower.told).toEqual([...half, ...half, "done"]);
    expect(follower.ids).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(follower.states[3]).toMatchObject({ why: "daemon_died", previous_state: "working" });
    scene.expectSound();
  }, 40_000);

  test("lives through a drain and a restart, while its job waits", async () => {
    const scene = await KillScene.open();
    await scene.boot();
    await scene.submit(chatAbout("first", 60, 20));
    const id = await scene.submit(chatAbout("second", 5, 20));
    const follower = new JobFollower(scene.url, id);
    await until("it waits", () => follower.progress.length > 0);

    scene.daemon.kill("SIGTERM");
    const comer = new JobFollower(scene.url, id);
    expect(await scene.daemon.exited()).toBe(0);
    await scene.boot();
    await until("it ends", () => follower.told.at(-1) === "done", 20_000);
    await until("the other hears it too", () => comer.told.at(-1) === "done", 20_000);

    for (const { ids, opened, told } of [follower, comer]) {
      expect(told).toEqual(["queued", "loading", "working", "done"]);
      expect(ids).toEqual([1, 2, 3, 4]);
      expect(opened).toBeGreaterThanOrEqual(2);
    }
  }, 40_000);
});

describe("a daemon that is asked to go, with event streams open", () => {
  test("tells the end of what runs, ends the streams whole, and does not wait for them", async () => {
    const scene = await KillScene.open({}, { FOREMAN_DRAIN_TIMEOUT: "30s" });
    await scene.boot();
    const running = await scene.submit(chatAbout("first", 100, 30));
    const waiting = await scene.submit(chatAbout("second"));
    const clients = [running, waiting].map((id) => new RawClient(scene.port).send(get(id)));
    await clients[0]!.received('"state":"working"');
    await clients[1]!.received('"position":1');

    const askedAtMs = performance.now();
    scene.daemon.kill("SIGTERM");
    await clients[1]!.received("foreman is draining");
    expect(await scene.daemon.exited()).toBe(0);

    expect(performance.now() - askedAtMs).toBeLessThan(20_000);
    for (const client of clients) {
      await client.over();
      expect(client.text.endsWith("0\r\n\r\n")).toBe(true);
    }
  }, 30_000);

  test("does not wait for one that does not read, either", async () => {
    const scene = await KillScene.open({}, { FOREMAN_DRAIN_TIMEOUT: "30s" });
    await scene.boot();
    const id = await scene.submit(chatAbout("long", 50, 20));
    const client = new RawClient(scene.port).send(get(id));
    await client.received('"state":"working"');
    client.socket.pause();

    const askedAtMs = performance.now();
    scene.daemon.kill("SIGTERM");

    expect(await scene.daemon.exited()).toBe(0);
    expect(performance.now() - askedAtMs).toBeLessThan(20_000);
    client.leave();
  }, 30_000);
});
