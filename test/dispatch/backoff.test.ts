import { describe, expect, test } from "vitest";
import { backoffMs } from "../../src/dispatch/backoff.ts";

describe("the rest after a failed attempt", () => {
  test("doubles from one second to a minute, by chance anything up to that", () => {
    const longest = [1, 2, 3, 6, 7, 50].map((attempt) => backoffMs(attempt, null, 1));

    expect(longest).toEqual([1_000, 2_000, 4_000, 32_000, 60_000, 60_000]);
    expect(backoffMs(3, null, 0.5)).toBe(2_000);
    expect(backoffMs(3, null, 0)).toBe(0);
  });

  test("is what the target asked for, within reason", () => {
    expect(backoffMs(1, 7_000, 0)).toBe(7_000);
    expect(backoffMs(1, 0, 1)).toBe(0);
    expect(backoffMs(1, 86_400_000, 0)).toBe(600_000);
  });
});
