/** What the queue says of its jobs: to the log, to the counters, and to the loop that lets through. */
import { describe, expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import { type Job, newJobId } from "../../src/job.ts";
import { RecordingWaiter } from "../support/recording-waiter.ts";
import { queueScene } from "./queue-scene.ts";
import { aSubmission } from "./submission.ts";

type Facts = Partial<Job> & { readonly body?: Buffer; readonly hasClient?: boolean };

function scene(facts: Parameters<typeof queueScene>[0] = {}) {
  const all = queueScene(facts);
  const submitDurable = async ({ body = Buffer.from("{}"), hasClient = false, ...job }: Facts) => {
    const durable: Job = { ...aSubmission().job, id: newJobId(1), isDurable: true, ...job };
    const keyless = { idempotencyKey: null, webhookUrl: null, hasClient };
    const submitted = all.queue.submitDurable({ job: durable, body, ...keyless });
    const [told] = await Promise.all([submitted, all.clock.settle()]);
    return { job: durable, ...told };
  };
  const said = () =>
    all.lines.map(({ component, client, jobId, model, msg, reason }) => {
      return { component, client, jobId, model, msg, reason };
    });
  return { ...all, submitDurable, said };
}

const ignore = () => {};

describe("the queue", () => {
  test("logs each job that joins and that is cancelled, with what it is, and wakes the loop", async () => {
    const { clock, queue, said, submitDurable, submitted, told } = scene();
    const chat = submitted({ model: "a" });
    const { job } = await submitDurable({ model: "b", client: "bob" });
    const changesBefore = told.changes;
    await queue.cancels.one(chat.id);
    await queue.cancels.one(job.id);
    await clock.settle();

    expect(said()).toMatchObject([
      { component: "queue", msg: "job queued", jobId: chat.id, model: "a", client: "ann" },
      { component: "queue", msg: "job queued", jobId: job.id, model: "b", client: "bob" },
      { msg: "job cancelled", jobId: chat.id, reason: "cancelled_by_user" },
      { msg: "job cancelled", jobId: job.id },
    ]);
    expect(told.ended).toEqual(["cancelled: cancelled_by_user", "cancelled: cancelled_by_user"]);
    expect(told.changes).toBeGreaterThanOrEqual(changesBefore + 2);
    expect(chat.waiter.refusal?.message).toBe("the job was cancelled");
  });

  test("logs a cancel of many, and counts each", async () => {
    const { lines, queue, submitDurable, told } = scene();
    await submitDurable({});
    await submitDurable({});
    await submitDurable({ client: "bob" });
    const changesBefore = told.changes;

    await queue.cancels.many({ client: "ann" }, true);

    const facts = { client: "ann", isRunningToo: true, count: 2 };
    expect(lines.at(-1)).toMatchObject({ msg: "jobs cancelled", ...facts });
    expect(told.ended).toHaveLength(2);
    expect(told.changes).toBeGreaterThan(changesBefore);
  });

  test("counts one who leaves, and who waited too long, and wakes the loop for both", async () => {
    const { clock, queue, submitted, told } = scene({ waitMsMax: 5_000 });
    queue.leave(submitted().id, "client_gone");
    const { waiter } = submitted();
    const changesBefore = told.changes;
    await clock.advance(5_000);

    expect(told.ended).toEqual(["cancelled: client_gone", "failed: queue_timeout"]);
    expect(told.changes).toBe(changesBefore + 1);
    expect(waiter.refusal?.retryAfterS).toBe(10);
  });

  test("turns away a client whose job could not be written, says so and wakes the loop", async () => {
    const { clock, lines, queue, store, submitted, told } = scene();
    store.failsWith = new ForemanError("storage_failed", "the disk is broken");
    const { id, waiter } = submitted();
    const changesBefore = told.changes;
    await clock.settle();

    expect(waiter.refusal).toMatchObject({ code: "storage_failed" });
    expect(lines.find(({ msg }) => msg === "job not recorded")).toMatchObject({ jobId: id });
    expect(told.ended).toEqual(["failed: storage_failed"]);
    expect(told.changes).toBeGreaterThan(changesBefore);
    expect(queue.depth).toBe(0);
  });

  test("wakes the loop for a job that is put back, or has rested", async () => {
    const { clock, queue, submitDurable, submitted, told } = scene();
    const { job } = await submitDurable({});
    const [first, second] = [queue.take(submitted().id, ignore)!, queue.take(job.id, ignore)!];
    const changes = [told.changes];
    queue.putBack(first);
    changes.push(told.changes);
    queue.putBack(second, 1_000);
    await clock.settle();
    changes.push(told.changes);
    await clock.advance(1_000);
    changes.push(told.changes);

    const [before = 0] = changes;
    expect(changes).toEqual([before, before + 1, before + 2, before + 3]);
  });

  test("keeps a client with a ceiling among batch work, however it comes", async () => {
    const { queue, submitDurable, submitted } = scene({ batchClient: "bob" });
    submitted({ client: "bob" });
    await submitDurable({ client: "bob" });
    submitted();

    expect([...queue.lanes()].map((lane) => [lane.client, lane.class])).toEqual([
      ["bob", "batch"],
      ["bob", "batch"],
      ["ann", "interactive"],
    ]);
  });

  test("counts who waits for a durable job among its clients, and is full of them", async () => {
    const { queue, submitDurable } = scene({ depthMax: 2 });
    for (let i = 0; i < 2; i++) {
      const { job } = await submitDurable({ hasClient: true });
      expect(queue.isFull).toBe(false);
      queue.listeners.listen(job, new RecordingWaiter());
    }

    expect(queue.isFull).toBe(true);
    expect(queue.submit(aSubmission())?.code).toBe("queue_full");
    expect((await submitDurable({})).kind).toBe("queued");
  });

  test("takes nothing new while an operator has it closed, but for items of what it took", async () => {
    const { queue, submitDurable } = scene();
    queue.close({ since: "2026-11-28T09:00:00.000Z", by: "ops", note: null });
    const forItem = { batchSeq: 1, item: 1, replaces: null } as never;
    const job: Job = { ...aSubmission().job, id: newJobId(1), isDurable: true };
    const facts = { body: Buffer.from("{}"), idempotencyKey: null, webhookUrl: null };

    expect(queue.submit(aSubmission())?.code).toBe("draining");
    await expect(submitDurable({})).rejects.toMatchObject({ code: "draining" });
    const item = queue.submitDurable({ job, ...facts, hasClient: false, forItem });
    expect((await item).kind).toBe("queued");
    queue.close(null);
    expect(queue.submit(aSubmission())).toBeNull();
  });
});

describe("a durable job in the queue", () => {
  test("is sent as a POST of JSON, a small body from memory and a larger one from the disk", async () => {
    const { queue, submitDurable } = scene();
    const [atBound, past] = [Buffer.alloc(16_384), Buffer.alloc(16_385)];
    const small = await submitDurable({ body: atBound });
    const large = await submitDurable({ body: past });
    const [first, second] = [queue.take(small.job.id, ignore)!, queue.take(large.job.id, ignore)!];

    expect([first.body, second.body]).toEqual([atBound, null]);
    for (const waiting of [first, second]) {
      expect(waiting.method).toBe("POST");
      expect(waiting.rawHeaders).toEqual(["Content-Type", "application/json"]);
    }
  });

  test("tells its listeners that the daemon goes, unless it runs, and is not put back by then", async () => {
    const { clock, order, queue, store, submitDurable } = scene();
    const [runs, waits] = [(await submitDurable({})).job, (await submitDurable({})).job];
    const listeners = [runs, waits].map((job) => {
      const listener = new RecordingWaiter();
      queue.listeners.listen(job, listener);
      return listener;
    });
    const running = queue.take(runs.id, ignore)!;
    const rests = queue.take((await submitDurable({})).job.id, ignore)!;
    queue.putBack(rests, 1_000);

    queue.drain();
    queue.endWaiting();
    queue.putBack(running);
    await clock.advance(5_000);

    expect(listeners[0]?.refusal).toBeNull();
    expect(listeners[1]?.refusal).toMatchObject({ code: "draining" });
    expect(order().flat()).toEqual([waits.id]);
    expect(await store.job(waits.id)).toMatchObject({ state: "queued" });
    expect(clock.pendingCount).toBe(0);
  });

  test("begins anew for its listeners when it is put back", async () => {
    const { queue, submitDurable } = scene();
    const { job } = await submitDurable({});
    const listener = new RecordingWaiter();
    queue.listeners.listen(job, listener);
    const waiting = queue.take(job.id, ignore)!;
    const head = { statusCode: 200, statusText: "OK", rawHeaders: [], isDelimited: true };
    waiting.waiter.head(head, { jobId: job.id, queuedMs: 0 });

    queue.putBack(waiting);

    expect(listener.failure?.message).toContain("begins anew");
    expect(waiting.waiter.hasAnswer).toBe(false);
  });

  test("is forgotten when it has ended: a second one of its id could be heard from its beginning", async () => {
    const { queue, submitDurable } = scene();
    const { job } = await submitDurable({});
    const waiting = queue.take(job.id, ignore)!;
    const head = { statusCode: 200, statusText: "OK", rawHeaders: [], isDelimited: true };
    waiting.waiter.head(head, { jobId: job.id, queuedMs: 0 });
    waiting.waiter.end();
    queue.release(job);
    const late = new RecordingWaiter();

    queue.listeners.listen(job, late);
    expect(late.isOver).toBe(false);
    queue.listeners.stopListening(job.id, late);
    expect(queue.isFull).toBe(false);
  });

  test("of several that are cancelled, those that wait go before those that run", async () => {
    const { clock, queue, store, submitDurable } = scene();
    const [runs, first, second] = [
      (await submitDurable({})).job,
      (await submitDurable({})).job,
      (await submitDurable({})).job,
    ];
    const states: (string | undefined)[] = [];
    const waiting = queue.take(runs.id, () => {
      void Promise.all([store.job(first.id), store.job(second.id)]).then((jobs) => {
        states.push(...jobs.map((job) => job?.state));
        queue.release(runs);
      });
    });

    const cancelled = queue.cancels.each([runs.id, first.id, second.id]);
    await clock.settle();
    await cancelled;

    expect(waiting).not.toBeNull();
    expect(states).toEqual(["cancelled", "cancelled"]);
    expect(queue.depth).toBe(0);
  });
});
