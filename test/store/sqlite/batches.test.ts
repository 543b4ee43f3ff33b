import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newJobId } from "../../../src/job.ts";
import type {
  BatchHeading,
  BatchSeq,
  BatchStore,
  ItemEnd,
  PackedItems,
} from "../../../src/store/batch-store.ts";
import type { SqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { answered, done } from "../contract/endings.ts";
import { aJob, prompt } from "../job-maker.ts";
import { openForTest } from "./open-for-test.ts";

const facts = () => ({ id: newJobId(1), client: "ann", createdAtMs: 5 });

const heading = (submittedCount: number, more: Partial<BatchHeading> = {}): BatchHeading => ({
  provider: "ollama",
  model: "m",
  jobType: "planning",
  requiresApproval: false,
  payloadHash: "abc",
  submittedCount,
  idempotencyKey: null,
  ...more,
});

function packed(ids: readonly string[], firstNo = 1): PackedItems {
  const requests = ids.map((id) => Buffer.from(JSON.stringify({ request_id: id })));
  let end = 0;
  return {
    firstNo,
    requestIds: ids,
    payloadHashes: ids.map((id) => `hash of ${id}`),
    requests: new Uint8Array(Buffer.concat(requests)),
    ends: Uint32Array.from(requests, ({ length }) => (end += length)),
  };
}

const completed: ItemEnd = {
  status: "completed",
  provider: "ollama",
  model: "m",
  repairs: 0,
  atMs: 50,
  result: {
    content: '{"a":1}',
    isJson: true,
    finishReason: "stop",
    promptTokens: 3,
    completionTokens: 4,
  },
};
const failed: ItemEnd = {
  status: "failed",
  provider: "ollama",
  model: "m",
  repairs: 0,
  atMs: 60,
  error: { code: "invalid_output", message: "no JSON" },
};

describe("the batches of a store", () => {
  let folder: string;
  let store: SqliteStore;
  let batches: BatchStore;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "foreman-batches-"));
    store = await openForTest(join(folder, "foreman.db"));
    batches = store.batches;
  });

  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function reopen(): Promise<void> {
    await store.close();
    store = await openForTest(join(folder, "foreman.db"));
    batches = store.batches;
  }

  /** An open batch of so many items, a, b, c … */
  async function opened(count: number, more: Partial<BatchHeading> = {}) {
    const { id, ...rest } = facts();
    const seq = await batches.beginBatch({ id, ...rest });
    const ids = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));
    await batches.appendItems(seq, packed(ids));
    expect((await batches.openBatch(seq, heading(count, more))).kind).toBe("opened");
    return { id, seq };
  }

  const counts = async (id: Parameters<BatchStore["batch"]>[0]) => {
    const batch = await batches.batch(id);
    if (batch === null) throw new Error("no such batch");
    const { cancelledCount, completedCount, failedCount, queuedCount, runningCount } = batch;
    const all = [queuedCount, runningCount, completedCount, failedCount, cancelledCount];
    return `${batch.status} ${all.join(" ")}`;
  };

  /** A job of the queue for an item, as the queue inserts it. */
  async function queueFor(batch: BatchSeq, itemNo: number, replaces: string | null = null) {
    const job = aJob({ class: "batch" });
    const forItem = { batch, itemNo, replaces: replaces as typeof job.id | null };
    const { kind } = await store.insertJob(job, prompt, { forItem });
    return { job, kind };
  }

  test("are seen by nobody before they are opened, and then whole", async () => {
    const { id, ...rest } = facts();
    const seq = await batches.beginBatch({ id, ...rest });
    await batches.appendItems(seq, packed(["a", "b"]));
    await batches.appendItems(seq, packed(["c"], 3));

    expect(await batches.batch(id)).toBeNull();
    expect(await batches.openBatches()).toEqual([]);
    expect(await batches.batchPage({ limit: 9 })).toEqual([]);
    expect(await batches.unopenedBatches()).toEqual([seq]);
    await batches.openBatch(seq, heading(3));
    await reopen();

    expect(await batches.batch(id)).toMatchObject({
      ...{ id, client: "ann", status: "queued", submittedCount: 3, queuedCount: 3 },
      ...{ createdAtMs: 5, startedAtMs: null, endedAtMs: null, payloadHash: "abc" },
    });
    expect(await batches.unopenedBatches()).toEqual([]);
    const items = await batches.waitingItems(seq, 0, 9);
    expect(items.map(({ requestId }) => requestId)).toEqual(["a", "b", "c"]);
    const request = await batches.request({ batch: seq, itemNo: 2 });
    expect(Buffer.from(request ?? []).toString()).toBe('{"request_id":"b"}');
  });

  test("hash the requests as one list, in their order", async () => {
    const seq = await batches.beginBatch(facts());
    await batches.appendItems(seq, packed(["a", "b"]));

    const { createHash } = await import("node:crypto");
    const whole = '{"items":[{"request_id":"a"},{"request_id":"b"}],"z":1}';
    expect(await batches.hashRequests(seq, '{"items":[', '],"z":1}')).toBe(
      createHash("sha256").update(whole).digest("hex"),
    );
  });

  test("take no request id twice", async () => {
    const seq = await batches.beginBatch(facts());

    const twice = batches.appendItems(seq, packed(["a", "a"]));

    await expect(twice).rejects.toMatchObject({ code: "internal" });
    expect(await batches.waitingItems(seq, 0, 9)).toEqual([]);
  });

  test("with a known key answer the one that has it, and stay unseen", async () => {
    const first = await opened(1, { idempotencyKey: "k" });
    const seq = await batches.beginBatch(facts());
    await batches.appendItems(seq, packed(["a"]));

    const opening = await batches.openBatch(seq, heading(1, { idempotencyKey: "k" }));

    expect(opening).toMatchObject({ kind: "known", batch: { id: first.id } });
    expect(await batches.unopenedBatches()).toEqual([seq]);
  });

  test("are dropped in parts, with all that hangs on them", async () => {
    const { id, seq } = await opened(5);
    await batches.endItem({ batch: seq, itemNo: 1 }, completed);

    const dropped = [await batches.dropBatch(seq, 2), await batches.dropBatch(seq, 2)];

    expect(dropped).toEqual([2, 2]);
    expect(await batches.batch(id)).not.toBeNull();
    expect(await batches.dropBatch(seq, 2)).toBe(1);
    expect(await batches.batch(id)).toBeNull();
    expect(await batches.request({ batch: seq, itemNo: 5 })).toBeNull();
  });

  describe("an item in the queue", () => {
    test("follows its job, and the counters follow the item", async () => {
      const { id, seq } = await opened(2);
      const { job } = await queueFor(seq, 1);

      const seen = [await counts(id)];
      await store.claim(job.id, 1, 20);
      seen.push(await counts(id));
      await store.putBack(job.id, 1, { counted: false, why: "target_away" }, 21);
      seen.push(await counts(id));
      await store.claim(job.id, 2, 22);
      await store.markWorking(job.id, 2, 23);
      await store.settle(job.id, 2, done, 24, answered);
      seen.push(await counts(id));
      await batches.endItem({ batch: seq, itemNo: 1 }, completed);
      seen.push(await counts(id));

      expect(seen).toEqual([
        "queued 2 0 0 0 0",
        "running 1 1 0 0 0",
        "running 2 0 0 0 0",
        "running 1 1 0 0 0",
        "running 1 0 1 0 0",
      ]);
      expect(await batches.batch(id)).toMatchObject({ startedAtMs: 20, endedAtMs: null });
    });

    test("is found under way after a restart, and its job's answer goes with its end", async () => {
      const { seq } = await opened(2);
      const { job } = await queueFor(seq, 2);
      await reopen();

      expect(await batches.itemsUnderWay(seq)).toMatchObject([
        { itemNo: 2, requestId: "b", queueJob: job.id, repairs: 0 },
      ]);
      expect(await batches.waitingItems(seq, 0, 9)).toMatchObject([{ itemNo: 1 }]);
      await store.claim(job.id, 1, 1);
      await store.markWorking(job.id, 1, 2);
      await store.settle(job.id, 1, done, 3, answered);
      expect(await store.answer(job.id)).not.toBeNull();
      await batches.endItem({ batch: seq, itemNo: 2 }, completed);

      expect(await store.answer(job.id)).toBeNull();
      expect(await batches.itemsUnderWay(seq)).toEqual([]);
      expect(await batches.request({ batch: seq, itemNo: 2 })).toBeNull();
    });

    test("has one job at a time, which another may replace", async () => {
      const { seq } = await opened(1);
      const first = await queueFor(seq, 1);

      expect((await queueFor(seq, 1)).kind).toBe("unwanted");
      const second = await queueFor(seq, 1, first.job.id);

      expect(second.kind).toBe("inserted");
      expect(await batches.itemsUnderWay(seq)).toMatchObject([
        { queueJob: second.job.id, repairs: 1 },
      ]);
    });

    test("that has ended gets none, and nothing of that job is kept", async () => {
      const { seq } = await opened(1);
      await batches.endItem({ batch: seq, itemNo: 1 }, failed);

      const { job, kind } = await queueFor(seq, 1);

      expect(kind).toBe("unwanted");
      expect(await store.job(job.id)).toBeNull();
    });

    test("waits again when a daemon died over it", async () => {
      const { id, seq } = await opened(2);
      const { job } = await queueFor(seq, 1);
      await store.claim(job.id, 1, 1);
      await batches.startItem({ batch: seq, itemNo: 2 }, "nemoclaw", 2);
      expect(await counts(id)).toBe("running 0 2 0 0 0");
      await reopen();

      await store.recoverInterrupted(9);
      expect(await batches.recoverItems()).toBe(1);

      expect(await counts(id)).toBe("running 2 0 0 0 0");
    });
  });

  describe("a retry", () => {
    const end = (batch: BatchSeq, itemNo: number, how: ItemEnd) =>
      batches.endItem({ batch, itemNo }, how);

    test("has what failed wait anew, with counters that are exact, and opens the batch", async () => {
      const { id, seq } = await opened(4);
      await end(seq, 1, failed);
      await end(seq, 2, completed);
      const { job } = await queueFor(seq, 3);
      await end(seq, 3, failed);
      await end(seq, 4, failed);
      expect(await counts(id)).toBe("completed 0 0 1 3 0");

      expect(await batches.retryItems(seq, 0, 2)).toEqual([1, 3]);
      expect(await counts(id)).toBe("running 2 0 1 1 0");
      expect(await batches.batch(id)).toMatchObject({ endedAtMs: null, failureReason: null });
      expect(await batches.retryItems(seq, 3, 2)).toEqual([4]);
      expect(await batches.retryItems(seq, 0, 2)).toEqual([]);

      const waiting = await batches.waitingItems(seq, 0, 9);
      expect(waiting.map(({ itemNo, queueJob }) => [itemNo, queueJob])).toEqual([
        [1, null],
        [3, null],
        [4, null],
      ]);
      expect(await batches.request({ batch: seq, itemNo: 3 })).not.toBeNull();
      const previousError = failed.status === "failed" ? failed.error : null;
      const waits = { status: "queued", error: null, previousError };
      expect(await batches.item(seq, "c")).toMatchObject(waits);
      await reopen();
      expect((await batches.openBatches()).map((each) => each.id)).toEqual([id]);
      const again = await queueFor(seq, 3);
      expect([again.kind, again.job.id === job.id]).toEqual(["inserted", false]);
      for (const itemNo of [1, 3]) await end(seq, itemNo, completed);
      const other = { code: "provider_refused", message: "no, again" };
      await end(seq, 4, { ...failed, status: "failed", error: other });
      expect(await counts(id)).toBe("completed 0 0 3 1 0");
      const told = async (id: string) => {
        const { error, previousError: before } = (await batches.item(seq, id))!;
        return [error, before];
      };
      expect(await told("c")).toEqual([null, previousError]);
      expect(await told("b")).toEqual([null, null]);
      expect(await told("d")).toEqual([other, null]);
    });

    test("leaves a batch alone that was cancelled", async () => {
      const { id, seq } = await opened(2);
      await end(seq, 1, failed);
      await batches.cancelItems(seq, 9, 70);

      expect(await batches.retryItems(seq, 0, 9)).toEqual([]);
      expect(await counts(id)).toBe("cancelled 0 0 0 1 1");
    });
  });

  describe("the end of the last item", () => {
    test("ends the batch, which is completed if any item is", async () => {
      const { id, seq } = await opened(2);
      await batches.endItem({ batch: seq, itemNo: 2 }, failed);
      await batches.endItem({ batch: seq, itemNo: 1 }, completed);

      expect(await counts(id)).toBe("completed 0 0 1 1 0");
      expect(await batches.batch(id)).toMatchObject({ endedAtMs: 50, failureReason: null });
      expect(await batches.openBatches()).toEqual([]);
    });

    test("fails the batch if no item succeeded, and tells why", async () => {
      const { id, seq } = await opened(2);
      for (const itemNo of [1, 2]) await batches.endItem({ batch: seq, itemNo }, failed);

      expect(await counts(id)).toBe("failed 0 0 0 2 0");
      expect(await batches.batch(id)).toMatchObject({ failureReason: "no JSON", endedAtMs: 60 });
      expect(await batches.batchesEndedBefore(61, 9)).toEqual([seq]);
      expect(await batches.batchesEndedBefore(60, 9)).toEqual([]);
    });

    test("is final", async () => {
      const { id, seq } = await opened(1);
      await batches.endItem({ batch: seq, itemNo: 1 }, completed);

      expect(await batches.endItem({ batch: seq, itemNo: 1 }, failed)).toBe("lost");
      expect(await batches.startItem({ batch: seq, itemNo: 1 }, "nemoclaw", 9)).toBe("lost");
      expect(await batches.cancelItems(seq, 9, 99)).toBe(0);
      expect(await counts(id)).toBe("completed 0 0 1 0 0");
    });
  });

  test("cancels what was given to nobody, in parts, and the batch at the first", async () => {
    const { id, seq } = await opened(4);
    const { job } = await queueFor(seq, 2);
    await batches.endItem({ batch: seq, itemNo: 1 }, completed);

    const cancelled = [
      await batches.cancelItems(seq, 1, 70),
      await batches.cancelItems(seq, 9, 71),
    ];

    expect(cancelled).toEqual([1, 1]);
    expect(await counts(id)).toBe("cancelled 1 0 1 0 2");
    expect(await batches.batch(id)).toMatchObject({ endedAtMs: null });
    await store.endWaiting(job.id, { ...done, state: "cancelled" }, 72);
    const error = { code: "cancelled", message: "the batch was cancelled" };
    await batches.endItem(
      { batch: seq, itemNo: 2 },
      { status: "cancelled", provider: null, model: null, repairs: 0, atMs: 73, error },
    );
    expect(await counts(id)).toBe("cancelled 0 0 1 0 3");
    expect(await batches.batch(id)).toMatchObject({ endedAtMs: 73 });
  });

  test("list items with results and errors, by page and by filter", async () => {
    const { seq } = await opened(4, { requiresApproval: true });
    await batches.endItem({ batch: seq, itemNo: 2 }, completed);
    await batches.endItem({ batch: seq, itemNo: 3 }, failed);

    const { hasMore, items: page } = await batches.itemPage(seq, { after: 0, limit: 2 });
    const { items: rest } = await batches.itemPage(seq, { after: 2, limit: 9 });
    expect(hasMore).toBe(true);

    expect(page).toMatchObject([
      { itemNo: 1, requestId: "a", status: "queued", result: null, error: null, approval: null },
      {
        ...{ itemNo: 2, requestId: "b", status: "completed", payloadHash: "hash of b" },
        ...{ result: { content: '{"a":1}', isJson: true, completionTokens: 4 } },
        approval: { state: "pending", by: null },
      },
    ]);
    expect(rest.map(({ itemNo }) => itemNo)).toEqual([3, 4]);
    expect(rest[0]).toMatchObject({ error: { code: "invalid_output", message: "no JSON" } });
    const byStatus = await batches.itemPage(seq, { after: 0, limit: 9, status: "failed" });
    expect(byStatus).toMatchObject({ hasMore: false, items: [{ itemNo: 3 }] });
    expect(await batches.item(seq, "b")).toEqual(page[1]);
    expect(await batches.item(seq, "z")).toBeNull();
  });

  test("take one verdict on a result, and list by it", async () => {
    const { seq } = await opened(2, { requiresApproval: true });
    for (const itemNo of [1, 2]) await batches.endItem({ batch: seq, itemNo }, completed);
    const verdict = { state: "approved", by: "eve", atMs: 80, note: "fine" } as const;

    expect(await batches.judge(seq, "a", verdict)).toBe("judged");
    expect(await batches.judge(seq, "a", { ...verdict, state: "rejected" })).toBe("none");
    expect(await batches.judge(seq, "z", verdict)).toBe("none");
    await reopen();

    const approved = await batches.itemPage(seq, { after: 0, limit: 9, approval: "approved" });
    expect(approved.items).toMatchObject([{ requestId: "a", approval: verdict }]);
  });

  test("are listed newest first, by client and status", async () => {
    const [first, second] = [await opened(1), await opened(1)];
    await batches.endItem({ batch: first.seq, itemNo: 1 }, completed);
    const ids = async (page: Parameters<BatchStore["batchPage"]>[0]) =>
      (await batches.batchPage(page)).map(({ id }) => id);

    expect(await ids({ limit: 9 })).toEqual([second.id, first.id]);
    expect(await ids({ limit: 9, after: second.seq })).toEqual([first.id]);
    expect(await ids({ limit: 9, client: "ann", status: "queued" })).toEqual([second.id]);
    expect(await ids({ limit: 9, status: "completed" })).toEqual([first.id]);
    expect(await ids({ limit: 9, client: "bob" })).toEqual([]);
  });
});
