import { expect, test } from "vitest";
import { batchStorm } from "../support/batch-storm.ts";

/** `npm run batches` does it with 50,000 items. */
test("a batch that meets kills and an outage has every result once, and exact counters", async () => {
  const report = await batchStorm({ items: 1_000, kills: 2, seed: "journey" });

  expect(report.violations).toEqual([]);
  expect(report.chats).toBeGreaterThan(0);
}, 120_000);
