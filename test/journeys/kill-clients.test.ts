/** What clients on a socket, and those who cancel, may rely on when the daemon is killed. */
import { describe, expect, test } from "vitest";
import { chatAbout, KillScene } from "../support/kill-scene.ts";
import { RawClient } from "../support/raw-client.ts";
import { until } from "../support/until.ts";

describe("a job that was cancelled, when the daemon dies", () => {
  test("I7 right after a cancel in its midst was answered, does not run again", async () => {
    const scene = await KillScene.open();
    await scene.boot();
    const id = await scene.submit(chatAbout("one", 200, 10));
    await scene.sees("token");

    const told = await scene.cancel(id);
    await scene.kill();
    await scene.boot();

    expect(told.state).toBe("cancelled");
    expect(await scene.show(id)).toMatchObject({ state: "cancelled" });
    const next = await scene.submit(chatAbout("next"));
    expect(await scene.ended(next)).toMatchObject({ state: "done" });
    expect(scene.startCount).toBe(2);
    scene.expectSound();
  });

  test("I7 while its model loads, was cancelled when the answer came", async () => {
    const scene = await KillScene.open({ loadMs: 1_000 });
    await scene.boot();
    const id = await scene.submit(chatAbout("one"));
    await scene.sees("load-start");

    const told = await scene.cancel(id);
    await scene.kill();
    await scene.boot();

    expect(told.state).toBe("cancelled");
    expect(await scene.show(id)).toMatchObject({ state: "cancelled" });
    expect(scene.startCount).toBe(1);
    scene.expectSound();
  });
});

describe("clients on a socket when the daemon dies", () => {
  test("one with an Idempotency-Key finds its job again; one without is not run for nobody", async () => {
    const scene = await KillScene.open();
    await scene.boot();
    const body = chatAbout("one", 30, 10);
    const header = ["Idempotency-Key: k"];
    scene.history.submits(JSON.stringify(body));

    const keyed = new RawClient(scene.port).post("/api/chat", body, header);
    await keyed.received('"done":false');
    const bare = new RawClient(scene.port).post("/api/chat", chatAbout("bare"));
    await until("both are stored", () => scene.rows().length === 2);
    await scene.kill();
    await keyed.over();
    await bare.over();
    await scene.boot();
    const again = new RawClient(scene.port).post("/api/chat", body, header);
    await again.received('"done":true');

    const [job, gone] = scene.rows();
    expect(keyed.text).not.toContain('"done":true');
    expect(again.text.toLowerCase()).toContain(`x-foreman-job: ${job?.id.toLowerCase()}`);
    await scene.ended(job?.id ?? "");
    expect(scene.row(gone?.id ?? "")).toMatchObject({
      state: "cancelled",
      end_reason: "client_gone",
    });
    expect(scene.startCount).toBe(2);
    scene.expectSound();
  });
});
