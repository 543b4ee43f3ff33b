import { describe, expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import { queueScene } from "./queue-scene.ts";
import { aSubmission } from "./submission.ts";

const ignore = () => {};

describe("a job that joins", () => {
  test("waits, is told of once, and is written down behind its client's back", async () => {
    const { clock, queue, store, submitted, told } = queueScene();

    const { id } = submitted();
    await clock.settle();

    expect(queue.depth).toBe(1);
    expect(told).toEqual({ joined: [id], left: [], ended: [], changes: 1 });
    expect(await store.job(id)).toMatchObject({ state: "queued", client: "ann" });
    expect(await store.body(id)).toBeNull();
  });

  test("shares a lane with jobs of its class, runner and client alone, oldest first", () => {
    const { order, submitted } = queueScene();
    const [first, second] = [submitted().id, submitted().id];
    const others = [
      submitted({ client: "bob" }).id,
      submitted({ loadKey: "d1 num_ctx=1" }).id,
      submitted({ class: "batch" }).id,
    ];
    const third = submitted().id;

    expect(order()).toEqual([[first, second, third], ...others.map((id) => [id])]);
  });

  test("is refused past the depth, and leaves no trace", async () => {
    const { clock, queue, store, submitted, told } = queueScene({ depthMax: 2 });
    submitted();
    expect(queue.isFull).toBe(false);
    submitted();
    expect(queue.isFull).toBe(true);
    const late = aSubmission();

    expect(queue.submit(late)).toMatchObject({ code: "queue_full" });

    await clock.settle();
    expect(await store.job(late.job.id)).toBeNull();
    expect([queue.depth, told.joined.length, told.changes]).toEqual([2, 2, 2]);
  });

  test("finds the place free again of whoever left or was taken, but not of who came back", () => {
    const { queue, submitted } = queueScene({ depthMax: 1 });
    const first = submitted();
    const waiting = queue.take(first.id, ignore);
    expect(queue.isFull).toBe(false);

    queue.putBack(waiting!);
    expect(queue.submit(aSubmission())).toMatchObject({ code: "queue_full" });

    queue.leave(first.id, "client_gone");
    expect(queue.submit(aSubmission())).toBeNull();
  });

  test("that cannot be written down is turned away with the reason, while it waits", async () => {
    const { clock, queue, store, submitted, told } = queueScene();
    store.failsWith = new ForemanError("storage_full", "the disk is full");

    const { id, waiter } = submitted();
    await clock.settle();

    expect(waiter.refusal).toMatchObject({ code: "storage_full", statusCode: 507 });
    expect(queue.depth).toBe(0);
    expect(told.left).toEqual([id]);
    expect(told.ended).toEqual(["failed: storage_failed"]);
  });

  test("that cannot be written down runs on if it runs already", async () => {
    const { clock, queue, store, submitted, told } = queueScene();
    store.failsWith = new ForemanError("storage_full", "the disk is full");
    const { id, waiter } = submitted();
    queue.take(id, ignore);

    await clock.settle();

    expect(waiter.isOver).toBe(false);
    expect(told.left).toEqual([]);
  });
});

describe("a job that is taken", () => {
  test("is taken once, and its lane goes with its last job", () => {
    const { order, queue, submitted } = queueScene();
    const { body, id } = submitted();

    const taken = queue.take(id, ignore);

    expect(taken?.body).toBe(body);
    expect(queue.take(id, ignore)).toBeNull();
    expect(queue.depth).toBe(0);
    expect(order()).toEqual([]);
  });

  test("comes back to its old place, between those before and after it", () => {
    const { order, queue, submitted, told } = queueScene();
    const ids = [submitted().id, submitted().id, submitted().id, submitted().id];
    const [second, third] = [queue.take(ids[1]!, ignore)!, queue.take(ids[2]!, ignore)!];

    queue.putBack(third);
    queue.putBack(second);

    expect(order()).toEqual([ids]);
    expect(told.joined).toEqual(ids);
    expect(told.left).toEqual([]);
  });

  test("is cut when its client leaves, and is told to have left only when it is released", () => {
    const { queue, submitted, told } = queueScene();
    const { id, job } = submitted();
    const cuts: string[] = [];
    queue.take(id, (reason) => cuts.push(reason));

    queue.leave(id, "client_gone");
    expect(cuts).toEqual(["client_gone"]);
    expect(told.left).toEqual([]);

    queue.release(job);
    queue.leave(id, "client_gone");
    expect(cuts).toEqual(["client_gone"]);
    expect(told.left).toEqual([id]);
  });
});
