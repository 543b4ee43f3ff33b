import { describe, expect, test } from "vitest";
import { queueScene } from "./queue-scene.ts";
import { aSubmission } from "./submission.ts";

const ignore = () => {};

describe("a client that leaves", () => {
  test("takes its waiting job along, unsent and recorded", async () => {
    const { clock, queue, store, submitted, told } = queueScene();
    const { id, waiter } = submitted();

    queue.leave(id, "client_gone");
    queue.leave(id, "client_gone");
    await clock.settle();

    expect(queue.take(id, ignore)).toBeNull();
    expect(waiter.isOver).toBe(false);
    expect(told.left).toEqual([id]);
    expect(await store.job(id)).toMatchObject({
      state: "cancelled",
      attempts: 0,
      ending: { reason: "client_gone", endedAtMs: clock.wallMs() },
    });
  });

  test("takes nobody else along", () => {
    const { order, queue, submitted } = queueScene();
    const [first, second] = [submitted().id, submitted().id];

    queue.leave(first, "client_gone");

    expect(order()).toEqual([[second]]);
  });
});

describe("the longest wait", () => {
  test("ends with 503 at the limit, not a millisecond before", async () => {
    const { clock, queue, store, submitted, told } = queueScene({ waitMsMax: 5_000 });
    const { id, waiter } = submitted();

    await clock.advance(4_999);
    expect(waiter.isOver).toBe(false);
    await clock.advance(1);

    expect(waiter.refusal).toMatchObject({ code: "queue_timeout", statusCode: 503 });
    expect(waiter.refusal?.message).toContain("FOREMAN_QUEUE_TIMEOUT (5 s)");
    expect([queue.depth, told.left]).toEqual([0, [id]]);
    expect(await store.job(id)).toMatchObject({
      state: "failed",
      ending: { reason: "queue_timeout" },
    });
  });

  test("does not concern a job that runs; if it waits again, its arrival counts", async () => {
    const { clock, queue, submitted } = queueScene({ waitMsMax: 5_000 });
    const { id, waiter } = submitted();
    const waiting = queue.take(id, ignore)!;
    await clock.advance(4_000);
    expect(waiter.isOver).toBe(false);

    queue.putBack(waiting);
    await clock.advance(999);
    expect(waiter.isOver).toBe(false);
    await clock.advance(1);

    expect(waiter.refusal?.code).toBe("queue_timeout");
  });

  test("is none by default, and leaves no timer behind those who left", async () => {
    const endless = queueScene();
    const { waiter } = endless.submitted();
    await endless.clock.advance(30 * 86_400_000);
    expect(waiter.isOver).toBe(false);

    const { clock, queue, submitted } = queueScene({ waitMsMax: 5_000 });
    queue.leave(submitted().id, "client_gone");
    queue.take(submitted().id, ignore);
    expect(clock.pendingCount).toBe(0);
  });
});

describe("a queue that drains", () => {
  test("turns every waiting client away at once, and everybody new", async () => {
    const { clock, queue, store, submitted, told } = queueScene();
    const waiting = [submitted(), submitted({ client: "bob" })];

    queue.drain();
    queue.endWaiting();
    await clock.settle();

    expect(queue.submit(aSubmission())).toMatchObject({ code: "draining" });
    expect(queue.depth).toBe(0);
    expect(told.left).toEqual(waiting.map(({ id }) => id));
    for (const { id, waiter } of waiting) {
      expect(waiter.refusal).toMatchObject({ code: "draining" });
      expect(await store.job(id)).toMatchObject({
        state: "cancelled",
        ending: { reason: "shutdown" },
      });
    }
  });

  test("leaves alone what runs", () => {
    const { queue, submitted, told } = queueScene();
    const { id, waiter } = submitted();
    queue.take(id, () => expect.fail("cut"));

    queue.drain();
    queue.endWaiting();

    expect(waiter.isOver).toBe(false);
    expect(told.left).toEqual([]);
  });
});
