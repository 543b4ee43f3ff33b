/** A cancel of a durable job that runs is a promise: a daemon that dies must not break it. */
import { describe, expect, test } from "vitest";
import { newJobId } from "../../src/job.ts";
import { cancelled as ending } from "../store/contract/endings.ts";
import { queueScene } from "./queue-scene.ts";
import { aSubmission } from "./submission.ts";

async function withRunning() {
  const scene = queueScene();
  const job = { ...aSubmission().job, id: newJobId(1), isDurable: true };
  const body = Buffer.from('{"model":"m"}');
  const submitted = scene.queue.submitDurable({
    job,
    body,
    idempotencyKey: null,
    webhookUrl: null,
    hasClient: false,
  });
  await scene.clock.settle();
  await submitted;
  const cuts: string[] = [];
  const waiting = scene.queue.take(job.id, (why) => cuts.push(why));
  if (waiting === null) throw new Error("it was not there to be taken");
  const answered: boolean[] = [];
  const cancel = () => scene.queue.cancels.one(job.id).then((is) => answered.push(is));
  return { ...scene, answered, cancel, cuts, job, waiting };
}

describe("the cancel of a running job", () => {
  test("is not answered before the job has left for good", async () => {
    const { answered, cancel, clock, cuts, job, queue } = await withRunning();

    const cancelled = cancel();
    await clock.settle();
    const answeredBefore = [...answered];
    queue.release(job);
    await clock.settle();
    await cancelled;

    expect(cuts).toEqual(["cancelled_by_user"]);
    expect(answeredBefore).toEqual([]);
    expect(answered).toEqual([true]);
  });

  test("reaches it also when a drain puts it back where nobody waits any more", async () => {
    const { answered, cancel, clock, job, queue, store, waiting } = await withRunning();

    queue.drain();
    queue.endWaiting();
    const cancelled = cancel();
    queue.putBack(waiting);
    await clock.settle();
    await cancelled;

    expect(answered).toEqual([true]);
    expect(await store.job(job.id)).toMatchObject({ state: "cancelled" });
  });

  test("cuts a job that was let through before its end was on the disk", async () => {
    const { clock, cuts, job, queue, store, waiting } = await withRunning();
    queue.putBack(waiting);

    const cancelled = queue.cancels.one(job.id);
    queue.take(job.id, (why) => cuts.push(why));
    await store.claim(job.id, 1, 0);
    await clock.settle();
    expect(cuts).toEqual(["cancelled_by_user"]);
    await store.settle(job.id, 1, ending, 0);
    queue.release(job);
    await clock.settle();

    expect(await cancelled).toBe(true);
  });
});

describe("the cancel of a chat that waits on a socket", () => {
  test("turns its client away, and its row says who ended it", async () => {
    const { clock, queue, store, submitted, told } = queueScene();
    const { id, waiter } = submitted();

    expect(await queue.cancels.one(id)).toBe(true);
    await clock.settle();

    expect(waiter.refusal).toMatchObject({ code: "cancelled", statusCode: 409 });
    expect(told.left).toEqual([id]);
    expect(await store.job(id)).toMatchObject({
      state: "cancelled",
      ending: { reason: "cancelled_by_user" },
    });
    expect(await queue.cancels.one(id)).toBe(false);
  });
});
