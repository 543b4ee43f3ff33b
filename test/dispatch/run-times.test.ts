import { describe, expect, test } from "vitest";
import { RunTimes } from "../../src/dispatch/run-times.ts";

function measured(runsMs: readonly number[], runnersMax = 9): RunTimes {
  const runTimes = new RunTimes(runnersMax);
  for (const ms of runsMs) runTimes.note("a", ms);
  return runTimes;
}

describe("what a job takes on a runner", () => {
  test("is the mean of the runs there, and unknown before the first", () => {
    expect(measured([]).meansMs.get("a")).toBeUndefined();
    expect(measured([100, 200, 600]).meansMs.get("a")).toBe(300);
  });

  test("follows the last 32 runs alone", () => {
    const slow = Array.from({ length: 100 }, () => 9_000);
    const fast = Array.from({ length: 32 }, () => 1_000);

    expect(measured([...slow, ...fast.slice(1)]).meansMs.get("a")).toBe(1_250);
    expect(measured([...slow, ...fast]).meansMs.get("a")).toBe(1_000);
  });

  test("is remembered of so many runners, and forgotten of the one that ran longest ago", () => {
    const runTimes = measured([100], 2);
    runTimes.note("b", 200);
    runTimes.note("a", 100);
    runTimes.note("c", 300);

    expect([...runTimes.meansMs.keys()]).toEqual(["a", "c"]);
  });
});

describe("what is left of a run", () => {
  test.each([
    { ranMs: 0, restMs: 300 },
    { ranMs: 100, restMs: 300 },
    { ranMs: 250, restMs: 350 },
    { ranMs: 600, restMs: 0 },
    { ranMs: 9_000, restMs: 0 },
  ])(
    "after $ranMs ms is $restMs ms, as it was of those that lasted longer",
    ({ ranMs, restMs }) => {
      expect(measured([100, 200, 600]).restMs("a", ranMs)).toBe(restMs);
    },
  );

  test("is unknown on a runner that never ran", () => {
    expect(measured([100]).restMs("b", 0)).toBeNull();
  });
});
