/** A small part of `node scripts/random-kills.ts`: see test/support/history.ts for what is checked. */
import { expect, test } from "vitest";
import { killStorm } from "../support/kill-storm.ts";

test("Q8 fifteen kills at random moments under load lose and double nothing", async () => {
  const report = await killStorm({ kills: 15, seed: "Q8" });

  expect(report.violations).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(0);
}, 60_000);
