import { describe, expect, test } from "vitest";
import { newJobId } from "../../src/job.ts";
import { aSubmission } from "../queue/submission.ts";
import { finish, presentScene } from "./dispatch-scene.ts";

describe("a job whose target could not be reached", () => {
  test("waits for its return unseen, no attempt counted, and then runs first", async () => {
    const { chats, clock, dispatcher, polled, poller, store, submitted } = await presentScene();
    const { id, waiter } = submitted();
    const later = submitted({ client: "bob" });
    polled.missing = "unreachable";

    chats()[0]!.fail("unreachable");
    await clock.settle();
    expect(poller.state.presence).toBe("away");
    expect(dispatcher.runningCount).toBe(0);
    expect(chats()).toHaveLength(1);
    expect(waiter.isOver).toBe(false);
    expect(await store.job(id)).toMatchObject({
      state: "queued",
      attempts: 0,
      lastAttempt: 1,
      putBackWhy: "target_away",
    });

    polled.missing = null;
    await clock.advance(5_000);
    expect(chats()).toHaveLength(2);
    finish(chats()[1]!);
    expect(waiter.isEnded).toBe(true);
    expect(later.waiter.isEnded).toBe(false);
    await clock.settle();
    expect(await store.job(id)).toMatchObject({ state: "done", attempts: 1, lastAttempt: 2 });
  });

  test("survives any number of absences", async () => {
    const { chats, clock, polled, submitted } = await presentScene({ attemptsMax: 1 });
    const { waiter } = submitted();

    for (let absence = 0; absence < 5; absence += 1) {
      polled.missing = "unreachable";
      chats().at(-1)!.fail("unreachable");
      await clock.advance(60_000);
      polled.missing = null;
      await clock.advance(6_000);
    }

    expect(chats()).toHaveLength(6);
    finish(chats().at(-1)!);
    expect(waiter).toMatchObject({ isEnded: true, failure: null });
  });

  test("is nobody's any more when its client leaves during the absence", async () => {
    const { chats, clock, polled, queue, store, submitted } = await presentScene();
    const { id } = submitted();
    polled.missing = "unreachable";
    chats()[0]!.fail("unreachable");

    queue.leave(id, "client_gone");
    polled.missing = null;
    await clock.advance(60_000);

    expect(chats()).toHaveLength(1);
    expect(await store.job(id)).toMatchObject({
      state: "cancelled",
      ending: { reason: "client_gone" },
    });
  });
});

describe("a job whose target hung up before it answered", () => {
  test("has all its attempts still, however often nobody was there before", async () => {
    const { chats, clock, submitted } = await presentScene({ attemptsMax: 2 });
    const { waiter } = submitted();
    chats()[0]!.fail("unreachable");
    await clock.advance(1_000);
    chats()[1]!.fail("unreachable");
    await clock.advance(1_000);

    chats()[2]!.fail("lost");
    await clock.settle();

    expect(waiter.isOver).toBe(false);
    expect(chats()).toHaveLength(4);
  });

  test("runs again up to its last attempt, and then ends as the target's failure", async () => {
    const { chats, clock, store, submitted } = await presentScene({ attemptsMax: 2 });
    const { id, waiter } = submitted();

    chats()[0]!.fail("lost");
    await clock.settle();
    expect(waiter.isOver).toBe(false);
    expect(chats()).toHaveLength(2);

    chats()[1]!.fail("lost");
    await clock.settle();
    expect(waiter.failure).toMatchObject({ kind: "lost" });
    expect(chats()).toHaveLength(2);
    expect(await store.job(id)).toMatchObject({
      state: "failed",
      attempts: 2,
      ending: { reason: "target_lost" },
    });
  });

  test("has the target asked whether it is still there", async () => {
    const { chats, clock, polled, poller, submitted } = await presentScene();
    submitted();
    polled.missing = "unreachable";

    chats()[0]!.fail("lost");
    await clock.settle();

    expect(poller.state.presence).toBe("away");
  });
});

describe("a durable job that rests after an attempt in vain", () => {
  test("leaves its slot to the next one meanwhile", async () => {
    const { chats, clock, queue } = await presentScene();
    for (const n of [1, 2]) {
      const job = { ...aSubmission().job, id: newJobId(n), isDurable: true };
      const facts = { idempotencyKey: null, webhookUrl: null, hasClient: false };
      await queue.submitDurable({ job, body: Buffer.from(`{"n":${n}}`), ...facts });
    }
    await clock.settle();

    chats()[0]!
      .head({ statusCode: 503, rawHeaders: ["Retry-After", "300"] })
      .end();
    await clock.settle();

    expect(chats().map(({ bodyText }) => bodyText)).toEqual(['{"n":1}', '{"n":2}']);
  });
});

describe("the end of all work", () => {
  test("is told when the last running job has ended", async () => {
    const { chats, clock, dispatcher, submitted } = await presentScene({ slots: 2 });
    submitted();
    submitted({ client: "bob" });
    let isIdle = false;
    void dispatcher.idle().then(() => {
      isIdle = true;
    });

    finish(chats()[0]!);
    await clock.settle();
    expect(isIdle).toBe(false);
    finish(chats()[1]!);
    await clock.settle();
    expect(isIdle).toBe(true);

    await dispatcher.idle();
  });

  test("comes at once when everything is cut, after the target's grace", async () => {
    const { chats, clock, dispatcher, queue, submitted } = await presentScene({ slots: 2 });
    const waiters = [submitted().waiter, submitted({ client: "bob" }).waiter];
    queue.drain();

    dispatcher.cutAll("shutdown");
    const idle = dispatcher.idle();
    await clock.advance(20);
    await idle;

    expect(chats().every(({ isAborted }) => isAborted)).toBe(true);
    expect(waiters.map(({ refusal }) => refusal?.code)).toEqual(["draining", "draining"]);
  });
});
