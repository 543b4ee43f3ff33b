import { expect, test } from "vitest";
import { isoTime } from "../src/clock.ts";
import { retryAfterMsOf } from "../src/retry-after.ts";
import { ManualClock } from "./support/manual-clock.ts";

test("Retry-After is seconds, or a date, and nothing else", () => {
  const clock = new ManualClock();
  const dateIn = (ms: number) => new Date(isoTime(clock.wallMs() + ms)).toUTCString();
  const read = (header: string | null) => retryAfterMsOf(header, clock);

  expect(["7", "0", "86400"].map(read)).toEqual([7_000, 0, 86_400_000]);
  expect([dateIn(30_000), dateIn(-30_000)].map(read)).toEqual([30_000, 0]);
  expect([retryAfterMsOf(["1", "2"], clock), retryAfterMsOf(undefined, clock)]).toEqual([
    1_000,
    null,
  ]);
  expect([null, "", "-5", "1.5", "soon", "9999999999"].map(read)).toEqual(Array(6).fill(null));
});
