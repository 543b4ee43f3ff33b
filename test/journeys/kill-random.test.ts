/** A part of `npm run kills -- --kills 1000`: see test/support/history.ts for what is checked. */
import { expect, test } from "vitest";
import { killStorm } from "../support/kill-storm.ts";

/** Two at a time, each on a database of its own: a daemon that starts keeps one core busy. */
const seeds = ["Q8", "Q8 beside it"];

test("Q8 forty kills at random moments under load lose and double nothing", async () => {
  const reports = await Promise.all(seeds.map((seed) => killStorm({ kills: 20, seed })));

  expect(reports.flatMap(({ violations }) => violations)).toEqual([]);
  expect(Math.min(...reports.map(({ acknowledged }) => acknowledged))).toBeGreaterThan(0);
  expect(Math.min(...reports.map(({ struck }) => struck))).toBeGreaterThan(0);
}, 400_000);
