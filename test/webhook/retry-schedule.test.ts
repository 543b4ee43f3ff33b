import { describe, expect, test } from "vitest";
import { tryAgainMsMax } from "../../src/store/outbox.ts";
import { retryWaitMs } from "../../src/webhook/retry-schedule.ts";

const hourMs = 3_600_000;

/** All waits from the first failed try to the last, with the same draw each time. */
function waits(random: number, retryAfterMs: number | null = null): number[] {
  const found: number[] = [];
  for (;;) {
    const waitMs = retryWaitMs(found.length + 1, retryAfterMs, random);
    if (waitMs === null) return found;
    found.push(waitMs);
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

describe("the wait for a webhook's next try", () => {
  test("begins with seconds, only grows, and is given up after about three days", () => {
    const all = waits(0.5);

    expect(all[0]).toBe(5_000);
    expect(all).toEqual(all.toSorted((a, b) => a - b));
    expect(sum(all)).toBeGreaterThan(71 * hourMs);
    expect(sum(all)).toBeLessThan(73 * hourMs);
  });

  test("differs by a fifth to either side, so that what failed together comes apart", () => {
    expect(waits(0)[0]).toBe(4_000);
    expect(waits(1)[0]).toBe(6_000);
  });

  test("is what the receiver asks for if that is more, within a day", () => {
    expect(retryWaitMs(1, 60_000, 0.5)).toBe(60_000);
    expect(retryWaitMs(1, 24 * hourMs, 0.5)).toBe(24 * hourMs);
    expect(retryWaitMs(1, 1_000 * hourMs, 0.5)).toBe(24 * hourMs);
  });

  test("is not shortened by a receiver, whose tries would be used up at once", () => {
    expect(waits(0.5, 0)).toEqual(waits(0.5));
    expect(retryWaitMs(99, 60_000, 0.5)).toBeNull();
  });

  test("is never so long that the store takes it for a clock that was set back", () => {
    for (const waitMs of waits(1, 1_000 * hourMs)) expect(waitMs).toBeLessThan(tryAgainMsMax);
  });
});
