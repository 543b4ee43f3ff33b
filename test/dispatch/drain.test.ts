import { describe, expect, test } from "vitest";
import { drain } from "../../src/dispatch/drain.ts";
import { aSubmission } from "../queue/submission.ts";
import { type DispatchScene, finish, presentScene } from "./dispatch-scene.ts";

const drainTimeoutMs = 30_000;

function begin(scene: DispatchScene, http = { settled: () => Promise.resolve() }) {
  const state = { isDrained: false, areStreamsEnded: false };
  const eventStreams = {
    end: () => {
      state.areStreamsEnded = true;
    },
  };
  void drain({ ...scene, http, eventStreams, drainTimeoutMs }).then(() => {
    state.isDrained = true;
  });
  return state;
}

describe("a foreman that drains", () => {
  test("with nothing to do is done at once", async () => {
    const scene = await presentScene();

    const state = begin(scene);
    await scene.clock.settle();

    expect(state.isDrained).toBe(true);
  });

  test("turns away who waits and who comes, and lets flow what runs", async () => {
    const scene = await presentScene();
    const { chats, clock, queue, store, submitted } = scene;
    const [running, waiting] = [submitted(), submitted({ client: "bob" })];

    const state = begin(scene);
    expect(waiting.waiter.refusal).toMatchObject({ code: "draining", statusCode: 503 });
    expect(queue.submit(aSubmission())).toMatchObject({ code: "draining" });

    await clock.advance(drainTimeoutMs - 1);
    expect(state.isDrained).toBe(false);
    finish(chats()[0]!);
    await clock.settle();
    expect(state.isDrained).toBe(true);
    expect(running.waiter.isEnded).toBe(true);
    expect(chats()).toHaveLength(1);
    expect(await store.countByState()).toMatchObject({ done: 1, cancelled: 1, queued: 0 });
  });

  test("ends event streams when nothing runs any more of which they could tell", async () => {
    const scene = await presentScene();
    scene.submitted();
    const state = begin(scene);

    await scene.clock.advance(drainTimeoutMs - 1);
    expect(state.areStreamsEnded).toBe(false);
    finish(scene.chats()[0]!);
    await scene.clock.settle();

    expect(state).toEqual({ isDrained: true, areStreamsEnded: true });
  });

  test("cuts what still runs at the deadline, and not a millisecond before", async () => {
    const scene = await presentScene();
    const { chats, clock, store, submitted } = scene;
    const { id, waiter } = submitted();
    chats()[0]!.head();
    const state = begin(scene);

    await clock.advance(drainTimeoutMs - 1);
    expect(chats()[0]?.isAborted).toBe(false);
    await clock.advance(1);
    expect(chats()[0]?.isAborted).toBe(true);
    await clock.advance(20);

    expect(state.isDrained).toBe(true);
    expect(waiter.failure?.message).toContain("shutting down");
    expect(await store.job(id)).toMatchObject({
      state: "cancelled",
      ending: { reason: "shutdown" },
    });
  });

  test("turns away a job that lost its target meanwhile, for nothing will run it", async () => {
    const scene = await presentScene();
    const { chats, clock, store, submitted } = scene;
    const { id, waiter } = submitted();
    const state = begin(scene);

    chats()[0]!.fail("lost");
    await clock.settle();

    expect(waiter.refusal).toMatchObject({ code: "draining" });
    expect(state.isDrained).toBe(true);
    expect(await store.job(id)).toMatchObject({
      state: "cancelled",
      ending: { reason: "shutdown" },
    });
  });

  test("waits for embeddings and transfers too, though they have no job", async () => {
    const scene = await presentScene();
    let answered: () => void = () => {};
    const state = begin(scene, {
      settled: () => new Promise<void>((resolve) => (answered = resolve)),
    });

    await scene.clock.advance(1_000);
    expect(state.isDrained).toBe(false);
    answered();
    await scene.clock.settle();
    expect(state.isDrained).toBe(true);
  });

  test("ends within a second of its deadline whatever hangs", async () => {
    const scene = await presentScene();
    const state = begin(scene, { settled: () => new Promise(() => {}) });

    await scene.clock.advance(drainTimeoutMs + 1_000);

    expect(state.isDrained).toBe(true);
  });
});
