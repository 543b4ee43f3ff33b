import { expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import { type ItemRunDeps, runItem } from "../../src/runtime/batches/run-item.ts";
import type { OpenItem, StoredBatch } from "../../src/store/batch-store.ts";
import { ManualClock } from "../support/manual-clock.ts";

test("an item of a cancelled batch waits for a full disk, and does not ask it without a pause", async () => {
  const clock = new ManualClock();
  let asked = 0;
  const request = async () => {
    asked += 1;
    if (asked > 100) return null;
    throw new ForemanError("storage_full", "no space left");
  };
  const item = { queueJob: null, repairs: 0 } as OpenItem;
  const deps = { batches: { request }, clock } as unknown as ItemRunDeps;

  void runItem(item, {} as StoredBatch, { deps, signal: AbortSignal.abort("cancelled") });
  await clock.advance(20_000);

  expect(asked).toBe(5);
});
