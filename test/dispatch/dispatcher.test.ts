import { describe, expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import { loadKeyOf } from "../../src/target/load-key.ts";
import { aBlueprint, list } from "../target/blueprint-scene.ts";
import { dispatchScene, finish, presentScene } from "./dispatch-scene.ts";

describe("the dispatcher", () => {
  test("sends nothing while the target is away, says why, and begins when it comes", async () => {
    const { chats, clock, dispatcher, poller, submitted } = dispatchScene();
    submitted();
    expect(chats()).toEqual([]);
    expect([...dispatcher.view.holds.values()]).toMatchObject([{ kind: "target-away" }]);

    await poller.refresh();
    await clock.settle();

    expect(chats()).toHaveLength(1);
    expect(dispatcher.view.holds.size).toBe(0);
  });

  test("runs one job at a time, oldest first, the next as soon as one ends", async () => {
    const { chats, dispatcher, submitted } = await presentScene();
    const waiters = ["one", "two", "three"].map((model) => submitted({ model }).waiter);
    expect(chats()).toHaveLength(1);
    expect(dispatcher.runningCount).toBe(1);
    expect([...dispatcher.view.holds.values()]).toEqual([{ kind: "ahead", count: 1 }]);

    for (const i of [0, 1, 2]) {
      expect(chats()).toHaveLength(i + 1);
      finish(chats()[i]!);
      expect(waiters.map(({ isEnded }) => isEnded)).toEqual([i >= 0, i >= 1, i >= 2]);
    }
    expect(dispatcher.runningCount).toBe(0);
  });

  test("fills every slot with one runner's jobs, and leaves the other's outside", async () => {
    const { chats, dispatcher, submitted } = await presentScene({ slots: 2 });
    submitted({ loadKey: "d1" });
    submitted({ loadKey: "d1" });
    submitted({ loadKey: "d2" });
    expect(chats()).toHaveLength(2);
    expect([...dispatcher.view.holds.values()]).toMatchObject([
      { kind: "other-runner", runnerKey: "d1" },
    ]);

    finish(chats()[0]!);
    expect(chats()).toHaveLength(2);
    finish(chats()[1]!);
    expect(chats()).toHaveLength(3);
  });

  test("fills every slot with all names of one runner, once it is known to be one", async () => {
    const { chats, dispatcher, inventory, submitted } = await presentScene({ slots: 3 });
    list(inventory, { base: "d1", alias: "d2", other: "d3" });
    for (const name of ["base", "alias", "other"]) submitted({ loadKey: loadKeyOf(name, "") });
    expect(chats()).toHaveLength(1);

    inventory.learn("d1", aBlueprint());
    inventory.learn("d2", aBlueprint());
    inventory.learn("d3", aBlueprint({ weights: "w3" }));
    dispatcher.tick();

    expect(chats()).toHaveLength(2);
    expect([...dispatcher.view.holds.values()]).toMatchObject([
      { kind: "other-runner", runnerKey: "w" },
    ]);
  });

  test("holds a name that was given to other weights until what runs on the old ends", async () => {
    const { chats, dispatcher, inventory, submitted } = await presentScene({ slots: 2 });
    list(inventory, { m: "d1", other: "d2" });
    inventory.learn("d1", aBlueprint());
    inventory.learn("d2", aBlueprint({ weights: "w2" }));
    submitted({ loadKey: loadKeyOf("m", "") });

    list(inventory, { m: "d2", other: "d2" });
    submitted({ loadKey: loadKeyOf("m", "") });
    submitted({ loadKey: loadKeyOf("other", "") });
    expect(chats()).toHaveLength(1);
    finish(chats()[0]!);

    expect(chats()).toHaveLength(3);
    expect(dispatcher.view.holds.size).toBe(0);
  });

  test("records each step, and the end with its tokens", async () => {
    const { chats, clock, store, submitted } = await presentScene();
    const { id } = submitted();
    await clock.settle();
    expect(await store.job(id)).toMatchObject({ state: "loading", attempts: 1 });

    chats()[0]!.head();
    await clock.settle();
    expect(await store.job(id)).toMatchObject({ state: "working" });

    chats()[0]!.chunk('{"done":true,"prompt_eval_count":1,"eval_count":2}\n').end();
    await clock.settle();
    expect(await store.job(id)).toMatchObject({
      state: "done",
      ending: { promptTokens: 1, completionTokens: 2, endedAtMs: clock.wallMs() },
    });
  });

  test("asks what is loaded when a job begins to answer and when it ends", async () => {
    const { chats, clock, submitted, target } = await presentScene();
    const before = target.askedOf("/api/ps").length;
    submitted();
    chats()[0]!.head();
    await clock.settle();
    expect(target.askedOf("/api/ps")).toHaveLength(before + 1);

    finish(chats()[0]!);
    await clock.settle();
    expect(target.askedOf("/api/ps").length).toBeGreaterThan(before + 1);
  });

  test("goes on when rows cannot be written, and says so", async () => {
    const { chats, clock, lines, store, submitted } = await presentScene();
    const { waiter } = submitted();
    store.failsWith = new ForemanError("storage_full", "the disk is full");

    finish(chats()[0]!);
    await clock.settle();

    expect(waiter).toMatchObject({ isEnded: true, refusal: null });
    expect(lines.filter(({ level }) => level === 50).map(({ what }) => what)).toContain("end");
  });

  test("does not charge a client for the load that its job happened to need", async () => {
    const { chats, clock, submitted } = await presentScene();
    for (const client of ["ann", "bob", "ann", "bob"]) submitted({ client });
    await clock.advance(60_000);
    chats()[0]!.head().chunk('{"done":true,"load_duration":59000000000}\n').end();
    await clock.advance(5_000);
    finish(chats()[1]!);

    expect(chats().map((asked) => asked.request.rawHeaders.at(-1))).toEqual(["ann", "bob", "ann"]);
  });
});

describe("a client that leaves while its job runs", () => {
  test("has it cut at once; the slot is taken anew 20 ms later, and not before", async () => {
    const { chats, clock, queue, store, submitted } = await presentScene();
    const { id } = submitted();
    submitted({ client: "bob" });
    chats()[0]!.head();

    queue.leave(id, "client_gone");
    expect(chats()[0]?.isAborted).toBe(true);
    await clock.advance(19);
    expect(chats()).toHaveLength(1);
    await clock.advance(1);

    expect(chats()).toHaveLength(2);
    expect(await store.job(id)).toMatchObject({
      state: "cancelled",
      ending: { reason: "client_gone" },
    });
  });

  test("costs nothing when its job has just ended", async () => {
    const { chats, clock, queue, store, submitted } = await presentScene();
    const { id } = submitted();
    finish(chats()[0]!);

    queue.leave(id, "client_gone");
    await clock.settle();

    expect(await store.job(id)).toMatchObject({ state: "done" });
  });
});

describe("a worker that is stuck", () => {
  // No setting allows it: without a slot the rules can let nothing through.
  const stuck = () => presentScene({ slots: 0 });

  test("is reported after thirty seconds, and not before", async () => {
    const { clock, dispatcher, submitted } = await stuck();
    submitted();

    await clock.advance(29_999);
    expect(dispatcher.problem).toBeNull();
    await clock.advance(1);
    expect(dispatcher.problem).toContain("30 s");
  });

  test("is none while nothing waits, nor while the target is away", async () => {
    const { clock, dispatcher, poller, polled, queue, submitted } = await stuck();
    await clock.advance(60_000);
    expect(dispatcher.problem).toBeNull();

    const { id } = submitted();
    polled.missing = "unreachable";
    await poller.refresh();
    await clock.advance(60_000);
    expect(dispatcher.problem).toBeNull();

    queue.leave(id, "client_gone");
    expect(dispatcher.problem).toBeNull();
  });
});
