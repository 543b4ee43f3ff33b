import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { ArrivalOrder } from "../../src/history/arrival-order.ts";
import { History } from "../../src/history/history.ts";
import { Series } from "../../src/history/series.ts";
import { sumOfWaits, waitQuantile, withWait } from "../../src/history/wait-buckets.ts";
import type { JobId } from "../../src/job.ts";
import { aSubmission } from "../queue/submission.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { MemoryStore } from "../support/memory-store.ts";

const id = (n: number) => `job ${n}` as JobId;

/** Lets jobs on these runners come in that order, and end in the order of `ends` (from 0). */
function played(runners: string, ends: readonly number[], together: readonly string[] = []) {
  const order = new ArrivalOrder((loadKey) => loadKey);
  for (const [n, runner] of [...runners].entries()) order.joined(id(n), runner);
  for (const n of ends) {
    order.ran(id(n), false);
    order.left(id(n));
    order.noteLoaded(together);
  }
  return order.swaps;
}

describe("swaps in the order of arrival", () => {
  test.each<[string, string, number[], string[], number]>([
    ["one for each turn of the model", "abab", [0, 1, 2, 3], [], 4],
    ["whatever the order was in which they ran", "abab", [0, 2, 1, 3], [], 4],
    ["no further than to the first that has not ended", "abab", [1, 3], [], 0],
    ["one for a row of a model", "aaab", [0, 1, 2, 3], [], 2],
    ["no more once both are seen to have room", "ababab", [0, 1, 2, 3, 4, 5], ["a", "b"], 3],
    ["as many where it never had", "ababab", [0, 1, 2, 3, 4, 5], ["a", "embedder"], 6],
  ])("%s", (_, runners, ends, together, swaps) => {
    expect(played(runners, ends, together)).toBe(swaps);
  });

  test("has what the target had before the first job, or loads in no time", () => {
    const order = new ArrivalOrder((loadKey) => loadKey);
    const hadToLoad = new Set([2]);
    for (const [n, runner] of [..."abcab"].entries()) order.joined(id(n), runner);
    for (const n of [1, 0, 2, 3, 4]) {
      order.ran(id(n), !hadToLoad.has(n));
      order.left(id(n));
    }

    // There was room for a and b; c drives out a, which drives out b, which comes back.
    expect(order.swaps).toBe(3);
  });

  test("was not spared a load because of a later run that found the model", () => {
    const order = new ArrivalOrder((loadKey) => loadKey);
    for (const [n, runner] of [..."aab"].entries()) order.joined(id(n), runner);

    for (const n of [2, 1, 0]) order.ran(id(n), n === 0);
    for (const n of [1, 0, 2]) order.left(id(n));

    expect(order.swaps).toBe(2);
  });

  test("is held against the loads of the same jobs alone, those of attempts in vain among them", () => {
    const order = new ArrivalOrder((loadKey) => loadKey);
    for (const [n, runner] of [..."aab"].entries()) order.joined(id(n), runner);
    // b was let in between, was put back, and is still waiting.
    for (const n of [0, 2, 1]) order.loaded(id(n), n === 0);
    order.loaded(id(2), false);

    for (const n of [0, 1]) order.ran(id(n), false);
    for (const n of [0, 1]) order.left(id(n));
    expect([order.swaps, order.loads]).toEqual([1, 2]);

    order.ran(id(2), false);
    order.left(id(2));
    expect([order.swaps, order.loads]).toEqual([2, 4]);
  });

  test("has to load as well what the target had let go of", () => {
    const order = new ArrivalOrder((loadKey) => loadKey);
    for (let n = 0; n < 3; n += 1) {
      order.joined(id(n), "a");
      order.loaded(id(n), true);
      order.ran(id(n), false);
      order.left(id(n));
    }

    expect([order.swaps, order.loads]).toEqual([3, 3]);
  });

  test("does not count a job that left unrun, nor wait for it", () => {
    const order = new ArrivalOrder((loadKey) => loadKey);
    for (const [n, runner] of ["a", "b", "a"].entries()) order.joined(id(n), runner);
    for (const n of [0, 2]) order.ran(id(n), false);

    order.left(id(0));
    order.left(id(1));
    order.left(id(2));

    expect(order.swaps).toBe(1);
  });

  test("passes over the oldest when more than 10,000 are followed", () => {
    const order = new ArrivalOrder((loadKey) => loadKey);
    for (let n = 0; n <= 10_000; n += 1) order.joined(id(n), "a");
    order.ran(id(1), false);

    order.left(id(1));

    expect(order.swaps).toBe(1);
  });
});

describe("waits", () => {
  test("are told within 6 %, of several steps together", () => {
    const one = [0, 10, 250].reduce(withWait, {});
    const other = Array.from({ length: 97 }, () => 60_000).reduce(withWait, {});
    const all = sumOfWaits([one, other]);

    expect(waitQuantile({}, 0.5)).toBeNull();
    expect(waitQuantile(one, 0)).toBe(0);
    expect(waitQuantile(one, 0.95)).toSatisfy((ms: number) => Math.abs(ms / 250 - 1) < 0.06);
    expect(waitQuantile(all, 0.5)).toSatisfy((ms: number) => Math.abs(ms / 60_000 - 1) < 0.06);
  });
});

describe("a series of steps", () => {
  const minute = 60_000;
  const counted = (series: Series, nowMs: number) =>
    series.change(nowMs, (step) => ({ ...step, done: step.done + 1 }));

  test("keeps the latest, leaves gaps, and forgets what a clock set back has not come to", () => {
    const series = new Series({ stepMs: minute, stepsMax: 3 });
    for (const at of [0, 59_999, minute, 2 * minute, 3 * minute]) counted(series, at);
    const view = () => series.steps.map(({ atMs, done }) => [atMs / minute, done]);
    expect(view()).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ]);

    counted(series, 5 * minute);
    expect(view()).toEqual([
      [3, 1],
      [5, 1],
    ]);
    counted(series, 3 * minute);
    expect(view()).toEqual([[3, 2]]);

    const restored = new Series({ stepMs: minute, stepsMax: 3 });
    restored.restore(series.steps, 4 * minute);
    expect(restored.steps.map(({ atMs }) => atMs / minute)).toEqual([3, 4]);
  });
});

test("where the order of arrival would have made fewer loads, so many are told below 0", async () => {
  const clock = new ManualClock();
  const memory = new MemoryStore();
  const life = () =>
    new History({
      ...{ clock, log: pino({ level: "silent" }), memory, keyOf: (loadKey) => loadKey },
      read: () => ({ busyMs: 0, swaps: 0, queued: 0, unfed: 0, running: 0, residents: [] }),
    });
  const history = life();
  const jobs = ["a", "a"].map((loadKey, n) => ({ ...aSubmission().job, id: id(n), loadKey }));
  const ending = { state: "done", reason: null, message: null, statusCode: 200 } as const;
  const run = { waitedMs: 1, hasLoaded: true };
  for (const job of jobs) {
    history.joined(job);
    history.loaded(job.id, false);
    history.noteRun({
      ...{ ...run, job },
      ending: { ...ending, promptTokens: 1, completionTokens: 1 },
    });
    history.left(job.id);
  }

  expect(history.totals().swaps_spared).toBe(-1);
  await history.stop();
  const next = life();
  await next.recall();
  expect(next.totals().swaps_spared).toBe(-1);
});

test.each(["hour", "day"] as const)(
  "one short run is seen in the busy share of the last %s",
  async (span) => {
    const clock = new ManualClock();
    const counted = { busyMs: 0, swaps: 0, queued: 0, unfed: 0, running: 0, residents: [] };
    const history = new History({
      clock,
      log: pino({ level: "silent" }),
      memory: { remember: async () => undefined, recall: async () => null },
      read: () => counted,
      keyOf: (loadKey) => loadKey,
    });
    history.tell(span);
    counted.busyMs = 1;
    await clock.advance(span === "hour" ? 58_000 : 590_000);

    const shares = history.tell(span).samples.map((each) => each.gpu_busy_share);
    expect(shares).toEqual([expect.closeTo(span === "hour" ? 1 / 59_000 : 1 / 591_000, 6)]);
    expect(shares[0]).toBeGreaterThan(0);
  },
);
