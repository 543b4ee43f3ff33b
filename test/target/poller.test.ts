import { describe, expect, test } from "vitest";
import { pollerScene, pollGaps, present } from "./poller-scene.ts";

describe("the poller, when the target goes", () => {
  test("counts it as away until it has answered for the first time", async () => {
    const { clock, poller } = pollerScene();

    expect(poller.state).toMatchObject({ presence: "away", lastPollAtMs: null });

    await poller.refresh();
    await clock.settle();
    expect(poller.state).toMatchObject({
      presence: "present",
      degradedSinceMs: null,
      lastPollAtMs: clock.wallMs(),
      lastError: null,
    });
  });

  test("U1: one refused connection is enough, and degraded begins then", async () => {
    const { clock, inventory, lines, polled, poller } = await present();
    polled.loaded = polled.models;
    await poller.refresh();
    polled.missing = "unreachable";

    await clock.advance(30_000);

    expect(poller.state).toMatchObject({
      presence: "away",
      awaySinceMs: clock.monotonicMs(),
      degradedSinceMs: clock.wallMs(),
      lastError: expect.stringContaining("unreachable"),
    });
    expect(inventory.loaded).toEqual([]);
    expect(inventory.find("m")).not.toBeNull();
    expect(lines.filter(({ level }) => level >= 40)).toHaveLength(1);
  });

  test("P5: away for hours, it is asked all the time and told of once", async () => {
    const { clock, lines, polled, poller, target } = await present();
    polled.missing = "unreachable";
    poller.noteUnreachable("connect ECONNREFUSED");
    const asked = target.askedOf("/api/tags").length;
    const told = lines.length;

    await clock.advance(2 * 3_600_000);

    expect(target.askedOf("/api/tags").length).toBeGreaterThan(asked + 1_000);
    expect(lines.length - told).toBeLessThan(5);
  });

  test("U1: of unanswered polls it takes two in a row, the second asked soon", async () => {
    const { clock, polled, poller } = await present();
    polled.missing = "lost";

    await clock.advance(30_000);
    expect(poller.state).toMatchObject({ presence: "present", awaySinceMs: null });
    expect(poller.state.degradedSinceMs).toBe(clock.wallMs());

    await clock.advance(500);
    expect(poller.state.presence).toBe("away");
  });

  test("a poll that is missed now and then makes nothing away", async () => {
    const { clock, polled, poller } = await present();

    for (let round = 0; round < 3; round += 1) {
      polled.missing = "lost";
      await poller.refresh();
      polled.missing = null;
      await poller.refresh();
    }

    await clock.settle();
    expect(poller.state).toMatchObject({ presence: "present", degradedSinceMs: null });
  });

  test("a silent target is given ten seconds for an answer, and not one more", async () => {
    const { clock, polled, poller, target } = await present();
    polled.missing = "silent";
    void poller.refresh();
    await clock.settle();

    await clock.advance(9_999);
    expect(target.latest("/api/tags").isAborted).toBe(false);
    await clock.advance(1);

    expect(target.latest("/api/tags").isAborted).toBe(true);
    expect(poller.state.lastError).toContain("no answer within 10 s");
  });

  test("is away at once when a job found no connection, and then probes", async () => {
    const scene = await present();
    const { clock, counts, polled, poller } = scene;
    const { changes } = counts;
    polled.missing = "unreachable";

    poller.noteUnreachable("connect ECONNREFUSED");

    expect(poller.state).toMatchObject({
      presence: "away",
      lastError: "connect ECONNREFUSED",
      awaySinceMs: clock.monotonicMs(),
    });
    expect(counts.changes).toBe(changes + 1);
    expect(await pollGaps(scene, 1)).toEqual([500]);
  });

  test("is doubted when a job lost its connection, until it has answered one poll", async () => {
    const { clock, counts, poller } = await present();
    poller.noteLost();
    expect(poller.state).toMatchObject({ presence: "doubted", awaySinceMs: null });

    await clock.settle();

    expect(poller.state.presence).toBe("present");
    expect(counts.returns).toBe(1);
  });

  test("is away when a job lost its connection and nobody is there to answer", async () => {
    const { clock, polled, poller } = await present();
    polled.missing = "unreachable";
    poller.noteLost();

    await clock.settle();

    expect(poller.state.presence).toBe("away");
  });

  test("counts the absence from its first moment, whatever the wall clock does", async () => {
    const { clock, polled, poller } = await present();
    polled.missing = "unreachable";
    await poller.refresh();
    const awaySinceMs = clock.monotonicMs();
    const degradedSinceMs = clock.wallMs();

    clock.jumpWall(-3_600_000);
    await clock.advance(60_000);

    expect(poller.state).toMatchObject({ presence: "away", awaySinceMs, degradedSinceMs });
  });
});

describe("the poller's pace", () => {
  test("is the interval while all is well", async () => {
    expect(await pollGaps(await present(), 2)).toEqual([30_000, 30_000]);
  });

  test("U1: is quick at first while the target is away, then every 5 s", async () => {
    const scene = await present();
    scene.polled.missing = "unreachable";
    await scene.poller.refresh();

    expect(await pollGaps(scene, 6)).toEqual([500, 1_000, 2_000, 5_000, 5_000, 5_000]);
  });

  test("begins quickly again with the next absence", async () => {
    const scene = await present();
    scene.polled.missing = "unreachable";
    await scene.poller.refresh();
    await pollGaps(scene, 5);
    scene.polled.missing = null;
    await scene.poller.refresh();
    scene.polled.missing = "unreachable";
    await scene.poller.refresh();

    expect(await pollGaps(scene, 2)).toEqual([500, 1_000]);
  });

  test("is never slower than the interval", async () => {
    const scene = await present({ intervalMs: 700 });
    scene.polled.missing = "unreachable";
    await scene.poller.refresh();

    expect(await pollGaps(scene, 3)).toEqual([500, 700, 700]);
  });

  test.each([
    { random: 0, gapMs: 27_000 },
    { random: 1, gapMs: 33_000 },
  ])("strays by a tenth at most: $gapMs ms", async ({ gapMs, random }) => {
    expect(await pollGaps(await present({ random }), 1)).toEqual([gapMs]);
  });

  test("ends with stop: what was asked is cut, and nothing is told or asked after it", async () => {
    const { clock, counts, polled, poller, target } = await present();
    polled.missing = "silent";
    void poller.refresh();
    await clock.settle();
    const { changes } = counts;

    await poller.stop();
    await poller.stop();

    expect(target.asked.every(({ isOver }) => isOver)).toBe(true);
    const askedCount = target.asked.length;
    await clock.advance(120_000);
    await poller.refresh();
    poller.noteUnreachable("too late");
    await clock.advance(120_000);
    expect(target.asked).toHaveLength(askedCount);
    expect(counts.changes - changes).toBeLessThanOrEqual(1);
    expect(clock.pendingCount).toBe(0);
  });
});
