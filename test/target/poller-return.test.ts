import { describe, expect, test } from "vitest";
import { pollerScene, present } from "./poller-scene.ts";

describe("the poller, when the target returns", () => {
  test("U1: work is released only when what must be loaded is loaded", async () => {
    let loaded: () => void = () => {};
    const onReturn = () => new Promise<void>((resolve) => (loaded = resolve));
    const { clock, counts, poller } = pollerScene({ onReturn });

    await poller.refresh();
    await clock.settle();
    expect(poller.state.presence).toBe("returning");
    const { changes } = counts;

    loaded();
    await clock.settle();
    expect(poller.state).toMatchObject({ presence: "present", awaySinceMs: null });
    expect(counts.changes).toBe(changes + 1);
  });

  test("it is polled on while the loading takes longer than the interval", async () => {
    const { clock, counts, poller, target } = pollerScene({
      onReturn: () => new Promise(() => {}),
    });
    await poller.refresh();

    await clock.advance(90_000);

    expect(target.askedOf("/api/tags")).toHaveLength(4);
    expect(poller.state.presence).toBe("returning");
    expect(counts.returns).toBe(1);
  });

  test("a target that went again while it was warmed is not called present", async () => {
    let loaded: () => void = () => {};
    const onReturn = () => new Promise<void>((resolve) => (loaded = resolve));
    const { clock, polled, poller } = pollerScene({ onReturn });
    await poller.refresh();
    polled.missing = "unreachable";
    await poller.refresh();

    loaded();
    await clock.settle();

    expect(poller.state.presence).toBe("away");
  });

  test("and goes and returns once more, the second warming is waited for", async () => {
    const loadings: (() => void)[] = [];
    const onReturn = () => new Promise<void>((resolve) => void loadings.push(resolve));
    const { clock, polled, poller } = pollerScene({ onReturn });
    await poller.refresh();
    polled.missing = "unreachable";
    await poller.refresh();
    polled.missing = null;
    await poller.refresh();

    loadings[0]!();
    await clock.settle();
    expect(poller.state.presence).toBe("returning");

    loadings[1]!();
    await clock.settle();
    expect(poller.state.presence).toBe("present");
  });

  test("degraded ends, the absence is over, and each return warms once", async () => {
    const { clock, counts, polled, poller } = await present();
    polled.missing = "unreachable";
    await clock.advance(30_000);
    polled.missing = null;

    await clock.advance(500);

    expect(counts.returns).toBe(2);
    expect(poller.state).toMatchObject({
      presence: "present",
      awaySinceMs: null,
      degradedSinceMs: null,
      lastError: null,
    });
  });

  test("a target that answers nonsense only is there all the same, though degraded", async () => {
    const { clock, polled, poller } = pollerScene();
    for (const path of ["/api/tags", "/api/ps", "/api/version", "/v1/models"]) {
      polled.pages.set(path, "<html>starting</html>");
    }

    await poller.refresh();
    await clock.settle();

    expect(poller.state.presence).toBe("present");
    expect(poller.state.degradedSinceMs).toBe(clock.wallMs());
  });
});

describe("the poller and answers that make no sense", () => {
  test.each([
    ["a page of HTML", "<html>504 Gateway Time-out</html>"],
    ["wrong types", '{"models":"many"}'],
    ["17 MB", `{"models":[]${" ".repeat(17 * 2 ** 20)}}`],
  ])("U10: %s keeps the last good list, is degraded since then, and recovers", async (_, page) => {
    const { clock, inventory, lines, polled, poller } = await present();
    const good = inventory.reply("/api/tags");
    polled.pages.set("/api/tags", page);

    await clock.advance(30_000);
    const degradedSinceMs = clock.wallMs();
    await clock.advance(30_000);

    expect(poller.state).toMatchObject({ presence: "present", degradedSinceMs });
    expect(poller.state.lastError).toContain("/api/tags");
    expect(inventory.reply("/api/tags")).toBe(good);
    expect(inventory.find("m")).not.toBeNull();
    expect(lines.filter(({ level }) => level === 40)).toHaveLength(1);

    polled.pages.clear();
    await clock.advance(30_000);
    expect(poller.state).toMatchObject({ degradedSinceMs: null, lastError: null });
  });

  test("U10: a list of 16 MB, as of thirty thousand models, is still read", async () => {
    const { clock, polled, poller } = await present();
    polled.pages.set("/api/tags", `{"models":[]${" ".repeat(16 * 2 ** 20 - 13)}}`);

    await clock.advance(30_000);

    expect(poller.state.lastError).toBeNull();
  });
});

describe("what is loaded", () => {
  test("is read alone after a job, and a change is noted with its time", async () => {
    const { clock, inventory, polled, poller, target } = await present();
    const before = { asked: target.asked.length, changedAtMs: poller.loadedChangedAtMs };
    await clock.advance(1_000);
    await poller.refreshLoaded();
    expect(poller.loadedChangedAtMs).toBe(before.changedAtMs);

    polled.loaded = polled.models;
    await clock.advance(1_000);
    await poller.refreshLoaded();

    expect(poller.loadedChangedAtMs).toBe(clock.monotonicMs());
    expect(inventory.loaded).toHaveLength(1);
    expect(target.asked.slice(before.asked).map(({ path }) => path)).toEqual([
      "/api/ps",
      "/api/ps",
    ]);
  });

  test("is not seen to change by its expiry alone: a hang stays a hang", async () => {
    const { clock, polled, poller } = await present();
    const shown = (expires_at: string, size_vram: number) => [
      { ...polled.models[0]!, expires_at, size_vram },
    ];
    polled.loaded = shown("2026-11-20T10:00:00Z", 7);
    await poller.refreshLoaded();
    const changedAtMs = poller.loadedChangedAtMs;

    await clock.advance(1_000);
    polled.loaded = shown("2026-11-20T10:05:00Z", 7);
    await poller.refreshLoaded();
    expect(poller.loadedChangedAtMs).toBe(changedAtMs);

    polled.loaded = shown("2026-11-20T10:05:00Z", 9);
    await poller.refreshLoaded();
    expect(poller.loadedChangedAtMs).toBe(clock.monotonicMs());
  });

  test("is waited for by who asks while it is read, for as long as he would wait", async () => {
    const { clock, polled, poller } = await present();
    await poller.caughtUp("/api/ps", 250);
    polled.missing = "silent";
    void poller.refreshLoaded();
    let isCaughtUp = false;
    void poller.caughtUp("/api/ps", 250).then(() => {
      isCaughtUp = true;
    });
    await poller.caughtUp("/api/tags", 250);

    await clock.advance(249);
    expect(isCaughtUp).toBe(false);
    await clock.advance(1);
    expect(isCaughtUp).toBe(true);
  });

  test("is told as soon as it was read", async () => {
    const { clock, polled, poller } = await present();
    polled.loaded = polled.models;
    void poller.refreshLoaded();
    const pendingCount = clock.pendingCount;

    await poller.caughtUp("/api/ps", 250);

    expect(clock.pendingCount).toBeLessThanOrEqual(pendingCount);
  });
});
