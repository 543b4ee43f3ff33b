import { describe, expect, test } from "vitest";
import { Lifecycle, type Part } from "../src/lifecycle.ts";
import { logLines } from "./support/log-lines.ts";
import { ManualClock } from "./support/manual-clock.ts";

function scene(facts: { parts?: readonly Part[]; drain?: () => Promise<void> } = {}) {
  const clock = new ManualClock();
  const happened: string[] = [];
  const part = (name: string, own: Partial<Part> = {}): Part => ({
    name,
    start: () => void happened.push(`${name} starts`),
    stop: () => void happened.push(`${name} stops`),
    ...own,
  });
  const parts = facts.parts ?? [part("store"), part("poller"), part("listener")];
  const drain = facts.drain ?? (async () => void happened.push("drains"));
  const { lines, log } = logLines("error");
  const lifecycle = new Lifecycle({ parts, drain, clock, log });
  return { clock, happened, lifecycle, lines };
}

const never = () => new Promise<void>(() => {});

describe("the daemon's life", () => {
  test("starts its parts in order, drains, and stops them in reverse", async () => {
    const { happened, lifecycle } = scene();
    expect(lifecycle.phase).toBe("starting");

    await lifecycle.start();
    expect(lifecycle.phase).toBe("serving");
    const orphans = await lifecycle.stop();

    expect(happened).toEqual([
      ...["store starts", "poller starts", "listener starts", "drains"],
      ...["listener stops", "poller stops", "store stops"],
    ]);
    expect(orphans).toEqual([]);
    expect(lifecycle.phase).toBe("stopped");
  });

  test("is draining, and every part still up, until the drain is over", async () => {
    let drained: () => void = () => {};
    const drain = () => new Promise<void>((resolve) => (drained = resolve));
    const { clock, happened, lifecycle } = scene({ drain });
    await lifecycle.start();

    const stopping = lifecycle.stop();
    await clock.settle();
    expect(lifecycle.phase).toBe("draining");
    expect(happened.filter((each) => each.endsWith("stops"))).toEqual([]);

    drained();
    await stopping;
    expect(lifecycle.phase).toBe("stopped");
  });

  test("ends once, however often it is asked to", async () => {
    const { happened, lifecycle } = scene();
    await lifecycle.start();

    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    await lifecycle.stop();

    expect(happened.filter((each) => each === "drains")).toHaveLength(1);
    expect(happened.filter((each) => each === "store stops")).toHaveLength(1);
  });

  test("undoes a start that failed half way, and tells the reason", async () => {
    const stopped: string[] = [];
    const part = (name: string, start: () => void): Part => ({
      name,
      start,
      stop: () => void stopped.push(name),
    });
    const bind = () => {
      throw new Error("address in use");
    };
    const parts = [part("store", () => {}), part("listener", bind), part("late", () => {})];
    const { lifecycle } = scene({ parts });

    await expect(lifecycle.start()).rejects.toThrow("address in use");

    expect(stopped).toEqual(["listener", "store"]);
    expect(lifecycle.phase).toBe("stopped");
  });

  test.each([
    ["rejects", () => Promise.reject(new Error("stuck"))],
    [
      "throws",
      () => {
        throw new Error("stuck");
      },
    ],
  ])("names a part whose stop %s, and stops the others all the same", async (_, stop) => {
    const stopped: string[] = [];
    const parts: Part[] = [
      { name: "store", stop: () => void stopped.push("store") },
      { name: "poller", stop },
      { name: "listener", stop: () => void stopped.push("listener") },
    ];
    const { lifecycle, lines } = scene({ parts });
    await lifecycle.start();

    expect(await lifecycle.stop()).toEqual(["poller"]);

    expect(stopped).toEqual(["listener", "store"]);
    expect(lines).toMatchObject([{ part: "poller", err: { message: "stuck" } }]);
  });

  test("gives a part ten seconds to stop, and goes on without it after that", async () => {
    const parts: Part[] = [
      { name: "store", stop: () => {} },
      { name: "poller", stop: never },
    ];
    const { clock, lifecycle } = scene({ parts });
    await lifecycle.start();
    let orphans: readonly string[] | null = null;
    void lifecycle.stop().then((names) => {
      orphans = names;
    });

    await clock.advance(9_999);
    expect(orphans).toBeNull();
    await clock.advance(1);
    expect(orphans).toEqual(["poller"]);
  });
});
