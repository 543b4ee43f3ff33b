import { expect, test } from "vitest";
import { ForemanError } from "../../../src/errors.ts";
import { JobChanges } from "../../../src/queue/job-changes.ts";
import { BatchRunner } from "../../../src/runtime/batches/batch-runner.ts";
import type { OpenItem, StoredBatch } from "../../../src/store/batch-store.ts";
import { logLines } from "../../support/log-lines.ts";
import { ManualClock } from "../../support/manual-clock.ts";

test("items that could not be read are looked for again, though nothing of a batch runs", async () => {
  const clock = new ManualClock();
  const { lines, log } = logLines();
  const batch = { id: "b", seq: 1, client: "ann", status: "queued", queuedCount: 1 } as const;
  let isReadable = false;
  const ran: number[] = [];
  const batches = {
    waitingItems: async (_: number, after: number): Promise<Partial<OpenItem>[]> => {
      if (!isReadable) throw new Error("the thread is busy");
      return after === 0 ? [{ itemNo: 1 }] : [];
    },
  };
  const runner = new BatchRunner({
    ...{ clock, log, changes: new JobChanges(), onItemsEnded: () => {} },
    batches: batches as never,
    queue: { cancels: undefined as never, isDraining: false },
    runItem: async ({ itemNo }) => void ran.push(itemNo),
  });

  runner.take({ ...batch, runningCount: 0 } as unknown as StoredBatch);
  await clock.settle();
  expect(lines.map(({ msg }) => msg)).toEqual([
    "items of batches not read; tried again in a moment",
  ]);
  expect(runner.counts.open).toBe(1);
  isReadable = true;
  await clock.advance(5_000);

  expect(ran).toEqual([1]);
  expect(runner.counts.open).toBe(0);
});

test("a cancel that a full disk refuses is done when there is room, be it of an earlier life", async () => {
  const clock = new ManualClock();
  const { lines, log } = logLines();
  const facts = { id: "b", client: "ann", queuedCount: 3, runningCount: 0 };
  const batch = { ...facts, seq: 1, status: "cancelled" } as unknown as StoredBatch;
  let isFull = true;
  const ended: string[] = [];
  const runner = new BatchRunner({
    ...{ clock, log, changes: new JobChanges() },
    onItemsEnded: (status, count) => void ended.push(`${count} ${status}`),
    batches: {
      recoverItems: async () => 0,
      openBatches: async () => [batch],
      itemsUnderWay: async () => [],
      waitingItems: async () => [],
      cancelItems: async () => {
        if (isFull) throw new ForemanError("storage_full", "no space left");
        return 3;
      },
    } as never,
    queue: { cancels: { each: async () => {} } as never, isDraining: false },
    runItem: async () => {},
  });

  await runner.start();
  await clock.settle();
  await expect(runner.cancel(batch)).rejects.toMatchObject({ code: "storage_full" });
  expect([runner.counts.open, ended]).toEqual([1, []]);
  expect(lines.map(({ msg }) => msg)).toContain("batch not cancelled; tried again in a moment");
  isFull = false;
  await clock.advance(5_000);

  expect(runner.counts.open).toBe(0);
  expect(ended[0]).toBe("3 cancelled");
});
