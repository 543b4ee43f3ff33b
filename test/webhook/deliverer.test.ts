/** The loop that empties the outbox, over a store in memory that passes the store's contract. */
import { describe, expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import { retryWaitMs } from "../../src/webhook/retry-schedule.ts";
import { MemoryDisk } from "../support/memory-disk.ts";
import { delivererScene, failed, received } from "./deliverer-scene.ts";

const url = "http://a.lan/x";
const other = "http://b.lan/x";
const waitMs = (tries: number) => retryWaitMs(tries, null, 0.5) ?? Number.NaN;
const triesMax = 13;

const depth = async ({ store }: ReturnType<typeof delivererScene>) =>
  (await store.outbox.depth()).left;

describe("a state of a job", () => {
  test("is posted soon after it was noted, and gone from the outbox when it was received", async () => {
    const scene = delivererScene();
    const id = await scene.joined(url);

    scene.deliverer.wake();
    await scene.clock.advance(19);
    expect(scene.open).toEqual([]);
    await scene.clock.advance(1);
    expect(scene.open).toMatchObject([{ id: `msg_${id}_1`, url }]);
    expect(await depth(scene)).toBe(1);
    await scene.answerAll(received);

    expect(await depth(scene)).toBe(0);
    expect(scene.posted).toEqual([`msg_${id}_1`]);
    expect(scene.clock.pendingCount).toBe(0);
  });

  test("waits until the one before it was received, and is then posted at once", async () => {
    const scene = delivererScene();
    const id = await scene.working(url);

    await scene.woken();
    expect(scene.posted).toEqual([`msg_${id}_1`]);
    await scene.answerAll(received);

    expect(scene.posted).toEqual([1, 2, 3].map((n) => `msg_${id}_${n}`));
  });

  test("of an earlier life is posted at the start", async () => {
    const disk = new MemoryDisk();
    await delivererScene(disk).working(url);

    const scene = delivererScene(disk);
    scene.deliverer.start();
    await scene.clock.settle();
    await scene.answerAll(received);

    expect(scene.posted).toHaveLength(3);
  });

  test("is not posted twice, however often the deliverer is woken meanwhile", async () => {
    const scene = delivererScene();
    await scene.joined(url);

    for (let i = 0; i < 5; i++) await scene.woken();
    expect(scene.posted).toHaveLength(1);
    scene.open[0]?.answer(received);
    for (let i = 0; i < 5; i++) await scene.woken();

    expect(scene.posted).toHaveLength(1);
  });

  test("is not posted again on the word of a reading from before it was noted", async () => {
    const scene = delivererScene();
    await scene.joined(url);
    await scene.joined(other);
    await scene.woken();
    const reading = await scene.store.outbox.due(scene.clock.wallMs(), 9);
    const readings = Promise.withResolvers<typeof reading>();
    const { due } = scene.store.outbox;
    scene.store.outbox.due = () => readings.promise;

    await scene.woken();
    scene.store.outbox.due = due;
    for (const posted of [...scene.open]) posted.answer(received);
    await scene.clock.settle();
    readings.resolve(reading);
    await scene.clock.settle();
    await scene.clock.settle();

    expect(scene.posted).toHaveLength(2);
    expect(await depth(scene)).toBe(0);
  });
});

describe("a try that failed", () => {
  test("is followed by another one when the schedule says so, with the same bytes", async () => {
    const scene = delivererScene();
    await scene.joined(url);
    await scene.woken();
    const first = scene.open[0];
    await scene.answerAll(failed);

    await scene.clock.advance(waitMs(1) - 1);
    expect(scene.posted).toHaveLength(1);
    await scene.clock.advance(1);
    await scene.clock.settle();
    expect(scene.open[0]).toMatchObject({ id: first?.id, text: first?.text });
    await scene.answerAll(failed);
    await scene.clock.advance(waitMs(2));
    await scene.clock.settle();

    expect(scene.posted).toHaveLength(3);
  });

  test("is followed later if the receiver asks for more time", async () => {
    const scene = delivererScene();
    await scene.joined(url);
    await scene.woken();
    await scene.answerAll({ ...failed, retryAfterMs: 90_000 });

    await scene.clock.advance(89_999);
    expect(scene.posted).toHaveLength(1);
    await scene.clock.advance(1);
    await scene.clock.settle();
    expect(scene.posted).toHaveLength(2);
  });

  test("for the last time gives the state up, and those behind it after one try each", async () => {
    const scene = delivererScene();
    const id = await scene.working(url);
    await scene.woken();

    for (let tries = 1; tries < triesMax; tries++) {
      await scene.answerAll(failed);
      expect(scene.posted).toHaveLength(tries);
      await scene.clock.advance(waitMs(tries));
      await scene.clock.settle();
    }
    expect(scene.open).toMatchObject([{ id: `msg_${id}_1` }]);
    await scene.answerAll(failed);

    expect(scene.posted.slice(triesMax)).toEqual([`msg_${id}_2`, `msg_${id}_3`]);
    expect(scene.say("webhook given up")).toBe(3);
    expect(await depth(scene)).toBe(0);
    expect(await scene.deliverer.status()).toEqual({ left: 0, oldest_at: null, failing: [] });
    expect(await scene.store.job(id)).toMatchObject({ state: "working" });
  });

  test("because the receiver wants no more is the last of its job", async () => {
    const scene = delivererScene();
    await scene.working(url);
    await scene.woken();

    await scene.answerAll({ kind: "gone" });

    expect(scene.posted).toHaveLength(1);
    expect(await depth(scene)).toBe(0);
  });

  test("is retried in time though the wall clock was set on", async () => {
    const scene = delivererScene();
    await scene.joined(url);
    await scene.woken();
    for (let tries = 1; tries <= 5; tries++) {
      await scene.answerAll(failed);
      await scene.clock.advance(waitMs(tries));
      await scene.clock.settle();
    }
    await scene.answerAll(failed);
    const before = scene.posted.length;

    scene.clock.jumpWall(waitMs(6));
    await scene.clock.advance(60_000);
    await scene.clock.settle();

    expect(scene.posted).toHaveLength(before + 1);
  });
});

describe("a receiver", () => {
  const urlsOf = (scene: ReturnType<typeof delivererScene>) =>
    scene.open.map((posted) => posted.url);

  test("is told at most 4 things at once, and fails one at a time", async () => {
    const scene = delivererScene();
    for (let i = 0; i < 20; i++) await scene.joined(url);
    await scene.woken();
    expect(scene.open).toHaveLength(4);

    for (const posted of [...scene.open]) posted.answer(failed);
    await scene.clock.settle();
    await scene.clock.settle();
    expect(scene.open).toHaveLength(1);
    scene.open[0]?.answer(received);
    await scene.clock.settle();
    await scene.clock.settle();

    expect(scene.open).toHaveLength(4);
  });

  test("that hangs holds up no other, nor do twenty that hang", async () => {
    const scene = delivererScene();
    const dead = Array.from({ length: 20 }, (_, i) => `http://dead${i}.lan/x`);
    for (const each of dead) for (let i = 0; i < 5; i++) await scene.joined(each);
    await scene.woken();
    const failing = async () => (await scene.deliverer.status()).failing.length;
    while ((await failing()) < dead.length || scene.open.length > 8) {
      scene.open[0]?.answer(failed);
      await scene.clock.settle();
      await scene.clock.settle();
    }
    await scene.clock.advance(waitMs(1));
    await scene.clock.settle();

    const id = await scene.joined(url);
    await scene.woken();

    expect(scene.open.filter((posted) => posted.url !== url)).toHaveLength(8);
    expect(scene.posted.at(-1)).toBe(`msg_${id}_1`);
  });

  test("with much to hear leaves room to one with little", async () => {
    const scene = delivererScene();
    const busy = ["http://1.lan/", "http://2.lan/", "http://3.lan/", "http://4.lan/"];
    for (const each of busy) for (let i = 0; i < 50; i++) await scene.joined(each);
    await scene.woken();
    expect(scene.open).toHaveLength(16);
    await scene.joined(url);
    await scene.woken();
    expect(scene.open).toHaveLength(16);

    scene.open[0]?.answer(received);
    await scene.clock.settle();
    await scene.clock.settle();

    expect(urlsOf(scene)).toContain(url);
  });

  test("that fails is shown in the status until it takes something", async () => {
    const scene = delivererScene();
    await scene.joined(url, { enqueuedAtMs: 0 });
    await scene.joined(other);
    await scene.woken();
    scene.open.find((posted) => posted.url === url)?.answer(failed);
    await scene.clock.settle();

    expect(await scene.deliverer.status()).toEqual({
      left: 2,
      oldest_at: "1970-01-01T00:00:00.000Z",
      failing: [{ receiver: "http://a.lan", failures: 1, last_error: "it is down" }],
    });
    await scene.answerAll(received);
    await scene.clock.advance(waitMs(1));
    await scene.clock.settle();
    await scene.answerAll(received);
    expect(await scene.deliverer.status()).toEqual({ left: 0, oldest_at: null, failing: [] });
  });
});

describe("a store that fails", () => {
  const full = new ForemanError("storage_full", "the disk is full");

  test("has what was received noted later, and it is not posted again meanwhile", async () => {
    const scene = delivererScene();
    await scene.joined(url);
    await scene.woken();

    scene.store.failsWith = full;
    scene.open[0]?.answer(received);
    for (let i = 0; i < 10; i++) await scene.woken();
    await scene.clock.advance(20_000);
    expect(scene.say("outbox not written")).toBeGreaterThan(1);
    scene.store.failsWith = null;
    await scene.clock.advance(5_000);
    await scene.clock.settle();

    expect(scene.posted).toHaveLength(1);
    expect(await depth(scene)).toBe(0);
  });

  test("to read is asked again after a while", async () => {
    const scene = delivererScene();
    await scene.joined(url);
    const { due } = scene.store.outbox;
    scene.store.outbox.due = async () => {
      throw new ForemanError("storage_failed", "no reading");
    };
    await scene.woken();
    expect(scene.say("outbox not read")).toBe(1);

    scene.store.outbox.due = due;
    await scene.clock.advance(5_000);
    await scene.clock.settle();

    expect(scene.posted).toHaveLength(1);
  });
});

describe("a stop", () => {
  test("waits for what is under way, and begins nothing more", async () => {
    const scene = delivererScene();
    await scene.working(url);
    await scene.woken();

    let isOver = false;
    const stopping = scene.deliverer.stop().then(() => {
      isOver = true;
    });
    await scene.clock.advance(2_000);
    expect(isOver).toBe(false);
    scene.open[0]?.answer(received);
    await scene.clock.settle();
    await stopping;
    await scene.woken();

    expect(scene.posted).toHaveLength(1);
    expect(await depth(scene)).toBe(2);
    expect(scene.clock.pendingCount).toBe(0);
  });

  test("begins nothing on the word of a reading that was under way", async () => {
    const scene = delivererScene();
    await scene.joined(url);
    const reading = scene.store.outbox.due(scene.clock.wallMs(), 9);
    const readings = Promise.withResolvers<Awaited<typeof reading>>();
    scene.store.outbox.due = () => readings.promise;
    await scene.woken();

    const stopping = scene.deliverer.stop();
    readings.resolve(await reading);
    await scene.clock.settle();
    await stopping;

    expect(scene.posted).toEqual([]);
  });

  test("cuts what takes longer than 3 s, and counts it as no try", async () => {
    const disk = new MemoryDisk();
    const scene = delivererScene(disk);
    await scene.working(url);
    await scene.woken();

    const stopping = scene.deliverer.stop();
    await scene.clock.advance(3_000);
    await stopping;

    const { deliveries } = await scene.store.outbox.due(scene.clock.wallMs(), 9);
    expect(deliveries).toMatchObject([{ transition: { n: 1 }, tries: 0 }]);
    expect(scene.open).toEqual([]);
    expect(scene.clock.pendingCount).toBe(0);
  });

  test("does not wait for a store that never writes again", async () => {
    const scene = delivererScene();
    await scene.joined(url);
    await scene.woken();
    scene.store.failsWith = new ForemanError("storage_full", "the disk is full");
    scene.open[0]?.answer(received);
    await scene.clock.settle();

    const stopping = scene.deliverer.stop();
    await scene.clock.advance(3_000);
    await stopping;

    expect(await depth(scene)).toBe(1);
  });
});
