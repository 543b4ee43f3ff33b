import { describe, expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import { finish, presentScene } from "../dispatch/dispatch-scene.ts";

const full = new ForemanError("storage_full", "no space left");

/** A scene whose disk is full from now on, and a way to empty it and to wait until that is seen. */
async function fullDiskScene() {
  const scene = await presentScene();
  const giveRoom = async () => {
    scene.store.failsWith = null;
    await scene.clock.advance(2_000);
  };
  const fill = async () => {
    await scene.clock.settle();
    scene.store.failsWith = full;
  };
  return { ...scene, fill, giveRoom };
}

describe("D1 a chat on a socket, whose row a full disk keeps back,", () => {
  test("ends in the store as soon as there is room: it was claimed, worked and ended meanwhile", async () => {
    const { chats, clock, fill, giveRoom, store, submitted } = await fullDiskScene();
    const first = submitted();
    await clock.settle();
    const second = submitted();
    await fill();

    finish(chats()[0]!);
    await clock.settle();
    finish(chats()[1]!);
    await clock.advance(10_000);
    const rows = [await store.job(first.id), await store.job(second.id)];
    await giveRoom();

    expect(rows).toMatchObject([{ state: "loading" }, { state: "queued" }]);
    expect(await store.job(first.id)).toMatchObject({ state: "done", attempts: 1 });
    expect(await store.job(second.id)).toMatchObject({ state: "done", attempts: 1 });
  });

  test("is cancelled there as well when its client left while it waited", async () => {
    const { clock, fill, giveRoom, queue, store, submitted } = await fullDiskScene();
    submitted();
    const { id } = submitted();
    await fill();

    queue.leave(id, "client_gone");
    await clock.settle();
    expect(await store.job(id)).toMatchObject({ state: "queued" });
    await giveRoom();

    expect(await store.job(id)).toMatchObject({
      state: "cancelled",
      ending: { reason: "client_gone" },
    });
  });

  test("keeps its order: put back, claimed again and ended", async () => {
    const { chats, clock, fill, giveRoom, poller, store, submitted } = await fullDiskScene();
    const { id } = submitted();
    await fill();

    chats()[0]!.fail("unreachable");
    await poller.refresh();
    await clock.advance(5_000);
    expect(chats()).toHaveLength(2);
    finish(chats()[1]!);
    await clock.settle();
    await giveRoom();

    expect(await store.job(id)).toMatchObject({ state: "done", attempts: 1, lastAttempt: 2 });
  });

  test("that runs without a row, since none could be written as it came, gets one with its end", async () => {
    const { chats, clock, giveRoom, lines, store, submitted } = await fullDiskScene();
    store.failsWith = full;
    const { id, waiter } = submitted();
    await clock.advance(2_000);

    finish(chats()[0]!);
    await clock.settle();
    expect([waiter.isEnded, await store.job(id)]).toEqual([true, null]);
    await giveRoom();

    expect(await store.job(id)).toMatchObject({ state: "done", attempts: 1 });
    expect(lines.map(({ msg }) => msg)).not.toContain("end of a job not written");
  });

  test("gets it too when it ended while a slow disk had not said yet that it is full", async () => {
    const { chats, clock, giveRoom, store, submitted } = await fullDiskScene();
    for (const verb of ["insertJob", "claim", "markWorking", "settle"] as const) {
      const atOnce = store[verb].bind(store) as (...args: unknown[]) => Promise<unknown>;
      const slowly = (...args: unknown[]) => clock.sleep(5).then(() => atOnce(...args));
      Object.assign(store, { [verb]: slowly });
    }
    store.failsWith = full;
    const { id, waiter } = submitted();
    await clock.advance(2);

    chats()[0]!.head();
    await clock.advance(4);
    finish(chats()[0]!);
    await clock.advance(10);
    expect(waiter.isEnded).toBe(true);
    await giveRoom();
    await clock.advance(60);

    expect(await store.job(id)).toMatchObject({ state: "done", attempts: 1 });
  });

  test("that ended before it was known that it has no row is served, and the log says so", async () => {
    const { chats, clock, lines, store, submitted } = await fullDiskScene();
    store.insertJob = () => clock.sleep(5).then(() => Promise.reject(full));
    const { id, waiter } = submitted();
    finish(chats()[0]!);
    await clock.advance(10_000);

    expect([waiter.isEnded, await store.job(id)]).toEqual([true, null]);
    const told = lines.find(({ msg }) => msg === "end of a job not written");
    expect(told).toMatchObject({ jobId: id, attempt: 1, why: "it has no row" });
  });
});
