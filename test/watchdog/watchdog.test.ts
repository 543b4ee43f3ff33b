import { describe, expect, onTestFinished, test } from "vitest";
import { createLog } from "../../src/log.ts";
import { Inventory } from "../../src/target/inventory.ts";
import type { TargetState } from "../../src/target/poller.ts";
import type { BroughtBack, OnSource } from "../../src/watchdog/bring-back.ts";
import type { Effort } from "../../src/watchdog/effort.ts";
import { Watchdog } from "../../src/watchdog/watchdog.ts";
import { ManualClock } from "../support/manual-clock.ts";

type Attempt = {
  readonly model: string;
  readonly effort: Effort;
  readonly end: (outcome: BroughtBack) => void;
};

const minuteMs = 60_000;

/** A watchdog over a target that has `present`; the test ends each attempt. */
function watching(required: readonly string[], present: readonly string[] = []) {
  const clock = new ManualClock();
  const inventory = new Inventory(required);
  const has = (models: readonly string[]) => {
    const list = models.map((name) => ({ name, digest: name }));
    const body = Buffer.from(JSON.stringify({ models: list }));
    expect(inventory.accept("/api/tags", { contentType: "application/json", body })).toBeNull();
  };
  has(present);
  const poller: { state: TargetState } = {
    state: {
      ...{ presence: "present", awaySinceMs: null, degradedSinceMs: null },
      ...{ lastPollAtMs: 0, lastError: null },
    },
  };
  const attempts: Attempt[] = [];
  const logged: { readonly msg: string; readonly percent?: number }[] = [];
  const back: string[] = [];
  const world = { isDraining: false };
  const watchdog = new Watchdog({
    ...{ inventory, poller, clock },
    models: required.map((name) => ({ name, local: null, artifacts: [], mayPull: true })),
    log: createLog("debug", { write: (line) => void logged.push(JSON.parse(line)) }),
    isDraining: () => world.isDraining,
    onProgress: () => {},
    onBack: (model) => back.push(model),
    bringBack: ({ name: model }, onSource: OnSource) => {
      const effort = onSource("pull");
      return new Promise((end) => attempts.push({ model, effort, end }));
    },
  });
  onTestFinished(() => {
    for (const { end } of attempts) end({ kind: "broken-off" });
    return watchdog.stop();
  });
  const tried = () => attempts.map(({ model }) => model);
  return { attempts, back, clock, has, logged, poller, tried, watchdog, world };
}

const failed = { kind: "failed", problems: ["pull: no such file"] } as const;

describe("the watchdog", () => {
  test("looks every 60 s, and no sooner", async () => {
    const { clock, has, tried, watchdog } = watching(["m"], ["m"]);
    watchdog.start();
    has([]);

    await clock.advance(minuteMs - 1);
    const before = tried();
    await clock.advance(1);

    expect(before).toEqual([]);
    expect(tried()).toEqual(["m"]);
  });

  test("knows a model by any spelling of its name", () => {
    const { tried, watchdog } = watching(["registry.ollama.ai/library/M:latest"], ["m:latest"]);

    watchdog.check();

    expect(tried()).toEqual([]);
  });

  test("brings back one at a time, the next one as soon as the first is over", async () => {
    const { attempts, back, clock, has, tried, watchdog } = watching(["a", "b"]);
    watchdog.check();
    watchdog.check();
    expect(tried()).toEqual(["a"]);

    has(["a"]);
    attempts[0]?.end({ kind: "back", source: "pull" });
    await clock.settle();

    expect(tried()).toEqual(["a", "b"]);
    expect(back).toEqual(["a"]);
  });

  test("lets a model rest after an attempt in vain, for longer each time", async () => {
    const { attempts, clock, tried, watchdog } = watching(["m"]);
    watchdog.start();
    await clock.advance(minuteMs);
    attempts[0]?.end(failed);
    await clock.advance(minuteMs);
    attempts[1]?.end(failed);

    await clock.advance(minuteMs);
    expect(tried()).toHaveLength(2);
    expect(watchdog.status).toMatchObject([
      { state: "missing", failures: 2, problems: failed.problems, next_try_ms: minuteMs },
    ]);
    await clock.advance(minuteMs);

    expect(tried()).toHaveLength(3);
  });

  test("tries again when it said it would, whenever the attempt ended", async () => {
    const { attempts, clock, tried, watchdog } = watching(["m"]);
    watchdog.start();
    await clock.advance(minuteMs);
    await clock.advance(20_000);
    attempts[0]?.end(failed);
    await clock.settle();
    const said = watchdog.describe("m");

    await clock.advance(minuteMs - 1);
    const before = tried();
    await clock.advance(1);

    expect(said).toBe("not brought back (pull: no such file); tried again in 60 s");
    expect(before).toHaveLength(1);
    expect(tried()).toHaveLength(2);
  });

  test("forgets what went wrong when somebody else brought the model back", async () => {
    const { attempts, clock, has, tried, watchdog } = watching(["m"]);
    watchdog.check();
    attempts[0]?.end(failed);
    await clock.settle();
    has(["m"]);
    watchdog.check();
    has([]);

    watchdog.check();

    expect(tried()).toEqual(["m", "m"]);
  });

  test.each([
    ["the target is away", { presence: "away" as const }],
    ["the target dropped a connection", { presence: "doubted" as const }],
    ["the target's lists make no sense", { lastError: "/api/tags: not JSON" }],
  ])("does nothing while %s", (_when, state) => {
    const { poller, tried, watchdog } = watching(["m"]);
    poller.state = { ...poller.state, ...state };

    watchdog.check();

    expect(tried()).toEqual([]);
  });

  test("begins nothing while foreman drains", () => {
    const { tried, watchdog, world } = watching(["m"]);
    world.isDraining = true;

    watchdog.check();

    expect(tried()).toEqual([]);
  });

  test("stops at once: what is under way is aborted, and nothing begins", async () => {
    const { attempts, clock, tried, watchdog } = watching(["m"]);
    watchdog.start();
    watchdog.check();

    const stopped = watchdog.stop();
    const isAborted = attempts[0]?.effort.signal.aborted;
    attempts[0]?.end({ kind: "broken-off" });
    await stopped;
    watchdog.check();
    await clock.advance(10 * minuteMs);

    expect(isAborted).toBe(true);
    expect(tried()).toEqual(["m"]);
    expect(clock.pendingCount).toBe(0);
  });

  test("gives up on a source in which nothing has moved for ten minutes, and on no other", async () => {
    const { attempts, clock, watchdog } = watching(["m"]);
    watchdog.check();
    const effort = attempts[0]?.effort;

    await clock.advance(10 * minuteMs - 1);
    effort?.note("pulling", 1, 100);
    await clock.advance(10 * minuteMs - 1);
    const before = effort?.signal.aborted;
    await clock.advance(1);

    expect(before).toBe(false);
    expect(effort?.signal.reason).toMatchObject({ message: "nothing moved for 10 minutes" });
    expect(effort?.isStopped).toBe(false);
  });

  test("tells how far it is, in words and in the log by tenths", () => {
    const { attempts, logged, watchdog } = watching(["m"]);
    expect(watchdog.describe("M:latest")).toBe("to be brought back soon");
    watchdog.check();
    for (const done of [0, 1, 2, 43, 44]) attempts[0]?.effort.note("pulling", done, 100);

    const told = logged.filter(({ msg }) => msg === "required model on its way");

    expect(watchdog.describe("M:latest")).toBe("being brought back: 44 % (pull, pulling)");
    expect(watchdog.describe("other")).toBeNull();
    expect(told.map(({ percent }) => percent)).toEqual([0, 43]);
    expect(watchdog.status).toMatchObject([
      { model: "m", state: "returning", source: "pull", step: "pulling", percent: 44 },
    ]);
  });
});
