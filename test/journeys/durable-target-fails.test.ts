/** Durable jobs before a target that answers, and fails them. */
import { describe, expect, test } from "vitest";
import { chatAbout, KillScene } from "../support/kill-scene.ts";
import type { Fault } from "../support/sim-ollama/fault.ts";
import { until } from "../support/until.ts";

const endedMsMax = 10_000;

async function withFault(fault: Fault): Promise<KillScene> {
  const scene = await KillScene.open();
  await scene.boot();
  scene.sim.fail({ route: "/api/chat", times: 1, fault });
  return scene;
}

const startsMs = (scene: KillScene) =>
  scene.events.flatMap(({ atMs, kind, route }) =>
    kind === "request" && route === "/api/chat" ? [atMs] : [],
  );

describe("a durable job that the target fails", () => {
  test("U7 holds nobody up while it rests, however long, and is cancelled as any other", async () => {
    const headers = [["Retry-After", "600"]] as const;
    const scene = await withFault({ kind: "answer", status: 503, headers });

    const resting = await scene.submit(chatAbout("rests"));
    await until("it is put back", () => scene.row(resting)?.not_before_ms !== null);
    const next = await scene.ended(await scene.submit(chatAbout("goes past it")), endedMsMax);
    const shown = await scene.show(resting);
    const told = await scene.cancel(resting);

    expect(next).toMatchObject({ state: "done" });
    expect(shown).toMatchObject({
      ...{ state: "queued", attempts: 1, position: 1 },
      reason: expect.stringMatching(/^target_failed: not before 20\d\d-.*Z$/),
    });
    expect(told).toMatchObject({ state: "cancelled" });
    expect(scene.startCount).toBe(2);
    scene.expectSound();
  });

  test("U7 rests for as long as it was told to, through a kill -9", async () => {
    const headers = [["Retry-After", "3"]] as const;
    const scene = await withFault({ kind: "answer", status: 429, headers });

    const submittedAtMs = Date.now();
    const resting = await scene.submit(chatAbout("rests"));
    await until("it is put back", () => scene.row(resting)?.not_before_ms !== null);
    const before = scene.row(resting);
    await scene.kill();
    await scene.boot();
    const [first = 0] = startsMs(scene);
    const last = await scene.ended(resting, endedMsMax);

    expect(before).toMatchObject({ state: "queued", attempts: 1, put_back_why: "target_failed" });
    expect(before?.not_before_ms).toBeGreaterThanOrEqual(submittedAtMs + 3_000);
    expect(last).toMatchObject({ state: "done", attempts: 2 });
    // Two clocks: the wall clock's milliseconds are whole.
    expect((startsMs(scene).at(-1) ?? 0) - first).toBeGreaterThanOrEqual(2_999);
    scene.expectSound();
  });

  test.each<Fault>([
    { kind: "answer", status: 500, body: '{"error":"CUDA error: out of memory"}' },
    { kind: "load-failure", message: "model requires more system memory" },
    { kind: "reset-after-tokens", tokens: 3 },
    { kind: "truncate-after-tokens", tokens: 3 },
    { kind: "error-after-tokens", tokens: 3, message: "CUDA error: out of memory" },
  ])(
    "runs again from its beginning after $kind, and nothing of the first is kept",
    async (fault) => {
      const scene = await withFault(fault);

      const id = await scene.submit(chatAbout("one", 8));

      expect(await scene.ended(id, endedMsMax)).toMatchObject({ state: "done", attempts: 2 });
      expect(scene.startCount).toBe(2);
      scene.expectSound();
    },
  );

  test("fails at once on a refusal, with the target's words", async () => {
    const body = '{"error":"num_ctx is beyond the model"}';
    const scene = await withFault({ kind: "answer", status: 400, body });

    const id = await scene.submit(chatAbout("one"));

    expect(await scene.ended(id)).toMatchObject({
      state: "failed",
      attempts: 1,
      error: {
        code: "target_refused",
        message: "the target answered 400: num_ctx is beyond the model",
      },
    });
    expect(scene.startCount).toBe(1);
    scene.expectSound();
  });
});
