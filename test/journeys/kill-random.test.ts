/** A part of `npm run kills -- --kills 1000`: see test/support/history.ts for what is checked. */
import { expect, test } from "vitest";
import { killStorm } from "../support/kill-storm.ts";

/** Four at a time, each on a database of its own: while one daemon lives, another one starts. */
const seeds = ["a", "b", "c", "d"].map((letter) => `Q8 ${letter}`);

test("Q8 two hundred kills at random moments under load lose and double nothing", async () => {
  const reports = await Promise.all(seeds.map((seed) => killStorm({ kills: 50, seed })));

  expect(reports.flatMap(({ violations }) => violations)).toEqual([]);
  expect(Math.min(...reports.map(({ acknowledged }) => acknowledged))).toBeGreaterThan(0);
  expect(Math.min(...reports.map(({ struck }) => struck))).toBeGreaterThan(0);
}, 400_000);
