import { describe, expect, test } from "vitest";
import { nextToBringBack, restMsAfter, type WatchdogFacts } from "../../src/watchdog/decide.ts";

const missing = (name: string, notBeforeMs = 0) => ({ name, isMissing: true, notBeforeMs });

const next = (facts: Partial<WatchdogFacts>) =>
  nextToBringBack({
    ...{ nowMs: 1_000, isListingFresh: true, isDraining: false, isAtWork: false },
    models: [missing("m")],
    ...facts,
  });

describe("the watchdog's decision", () => {
  test("brings back a missing model, and leaves alone one that is there", () => {
    expect(next({})).toBe("m");
    expect(next({ models: [{ name: "m", isMissing: false, notBeforeMs: 0 }] })).toBeNull();
    expect(next({ models: [] })).toBeNull();
  });

  test.each([
    ["while foreman drains", { isDraining: true }],
    ["while another one is brought back", { isAtWork: true }],
    ["while nobody knows what the target has", { isListingFresh: false }],
    ["before its rest is over", { models: [missing("m", 1_001)] }],
  ])("does nothing %s", (_when, facts) => {
    expect(next(facts)).toBeNull();
  });

  test("does it as soon as its rest is over", () => {
    expect(next({ models: [missing("m", 1_000)] })).toBe("m");
  });

  test("lets no model that never comes back stand before the others", () => {
    expect(next({ models: [missing("hopeless", 900), missing("m", 0)] })).toBe("m");
  });

  test("rests for twice as long after each attempt in vain, up to half an hour", () => {
    const minutes = [1, 2, 3, 4, 5, 6, 100].map((failures) => restMsAfter(failures) / 60_000);

    expect(minutes).toEqual([1, 2, 4, 8, 16, 30, 30]);
  });
});
