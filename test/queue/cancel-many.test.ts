/** Cancels of many durable jobs at once, and what they leave in memory. */
import { describe, expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import { type Job, type JobId, newJobId } from "../../src/job.ts";
import { windowMax } from "../../src/queue/lanes.ts";
import type { CancelledSlice } from "../../src/store/waiting-slice.ts";
import { cancelled, done } from "../store/contract/endings.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { RecordingWaiter } from "../support/recording-waiter.ts";
import { queueScene } from "./queue-scene.ts";
import { aSubmission } from "./submission.ts";

const body = Buffer.from('{"model":"m"}');
const ignore = () => {};

/** More than one transaction cancels. */
const many = 600;

/** Calls `between` when the first slice of a cancel is on the disk. */
class SlicedStore extends MemoryStore {
  between: (() => void) | null = null;

  override async cancelWaiting(
    ...args: Parameters<MemoryStore["cancelWaiting"]>
  ): Promise<CancelledSlice> {
    const slice = await super.cancelWaiting(...args);
    this.between?.();
    this.between = null;
    return slice;
  }
}

async function scene() {
  const store = new SlicedStore();
  const all = queueScene({ store });
  const submitted = (facts: Partial<Job> = {}) => {
    const job: Job = { ...aSubmission().job, id: newJobId(1), isDurable: true, ...facts };
    const keyless = { idempotencyKey: null, webhookUrl: null, hasClient: false };
    const done = all.queue.submitDurable({ job, body, ...keyless });
    return { job, done };
  };
  const fill = async (count: number, facts: Partial<Job> = {}) => {
    const jobs = Array.from({ length: count }, () => submitted(facts));
    await Promise.all(jobs.map(({ done }) => done));
    await all.clock.settle();
    return jobs.map(({ job }) => job);
  };
  const cancel = async (filter = {}, isRunningToo = false) => {
    const count = await all.queue.cancels.many(filter, isRunningToo);
    await all.clock.settle();
    return count;
  };
  const take = (job: Job) => {
    const waiting = all.queue.take(job.id, ignore);
    if (waiting === null) throw new Error("it was not there to be taken");
    return waiting;
  };
  const stateOf = async ({ id }: { id: JobId }) => (await store.job(id))?.state;
  return { ...all, store, fill, cancel, take, stateOf, submit: submitted };
}

describe("a cancel of many", () => {
  test("empties the lanes in memory and in the store, and tells each that left", async () => {
    const { cancel, fill, order, queue, store, told } = await scene();
    await fill(many);
    await fill(3, { class: "batch" });

    expect(await cancel()).toBe(many + 3);

    expect(queue.depth).toBe(0);
    expect(order()).toEqual([]);
    expect(told.left.toSorted()).toEqual(told.joined.toSorted());
    expect(told.joined).toHaveLength(windowMax + 3);
    expect(await store.countByState()).toMatchObject({ queued: 0, cancelled: many + 3 });
    expect(await cancel()).toBe(0);
  });

  test("leaves what does not fit at its place", async () => {
    const { cancel, fill, order, queue } = await scene();
    const mine = await fill(2, { client: "ann" });
    await fill(many, { client: "bob", model: "b" });

    expect(await cancel({ client: "bob", model: "b" })).toBe(many);

    expect(order()).toEqual([mine.map(({ id }) => id)]);
    expect(queue.depth).toBe(2);
  });

  test("keeps the rest of a lane of which a part fits", async () => {
    const { cancel, fill, order, queue } = await scene();
    await fill(windowMax, { model: "b" });
    const kept = await fill(windowMax + 5, { model: "m" });

    expect(await cancel({ model: "b" })).toBe(windowMax);

    expect(queue.depth).toBe(windowMax + 5);
    expect(order()).toEqual([kept.slice(0, windowMax).map(({ id }) => id)]);
  });

  test("lets a job that was claimed before run on, and leaves jobs on sockets", async () => {
    const { cancel, fill, queue, stateOf, store, submitted, take } = await scene();
    const [running] = (await fill(3)) as [Job, Job, Job];
    const onSocket = submitted();
    take(running);
    await store.claim(running.id, 1, 1);

    expect(await cancel()).toBe(2);

    expect(await stateOf(running)).toBe("loading");
    expect(await stateOf(onSocket)).toBe("queued");
    expect(queue.depth).toBe(1);
  });

  test("takes one whose claim is not on the disk yet, and its count stays right", async () => {
    const { cancel, clock, fill, queue, store, take, told } = await scene();
    const jobs = await fill(windowMax + 10);
    const taken = take(jobs[0] as Job);

    expect(await cancel()).toBe(windowMax + 10);
    expect(await store.claim(taken.job.id, 1, 1)).toBe("lost");
    queue.release(taken.job);
    await clock.settle();

    expect(queue.depth).toBe(0);
    expect(told.left.filter((id) => id === taken.job.id)).toHaveLength(1);
  });

  test("leaves those alone that join meanwhile, and lets them run", async () => {
    const { cancel, clock, fill, order, queue, store, submit } = await scene();
    await fill(many);
    const late: JobId[] = [];
    store.between = () => {
      for (let i = 0; i < 3; i++) late.push(submit().job.id);
    };

    expect(await cancel()).toBe(many);
    await clock.settle();

    expect(order()).toEqual([late]);
    expect(queue.depth).toBe(3);
  });

  test("wakes those that rest: none comes back when its time has come", async () => {
    const { cancel, clock, fill, order, queue, stateOf, store, take } = await scene();
    const [job] = (await fill(1)) as [Job];
    const waiting = take(job);
    queue.putBack(waiting, 5_000);

    expect(await cancel()).toBe(1);
    await clock.advance(5_000);

    expect(order()).toEqual([]);
    expect(await stateOf(job)).toBe("cancelled");
    expect(clock.pendingCount).toBe(0);
    expect(await store.countByState()).toMatchObject({ queued: 0 });
  });

  test("tells whoever listens, be the job in memory or in the store alone", async () => {
    const { cancel, fill, queue } = await scene();
    const jobs = await fill(windowMax + 1);
    const listeners = [jobs[0], jobs.at(-1)].map((job) => {
      const listener = new RecordingWaiter();
      queue.listeners.listen(job as Job, listener);
      return listener;
    });

    await cancel();

    for (const { refusal } of listeners) expect(refusal).toMatchObject({ code: "cancelled" });
  });

  test("cuts those that run if that is asked for, and counts what ended by it", async () => {
    const { cancel, clock, fill, queue, store, stateOf } = await scene();
    const [first, second, other] = [...(await fill(2)), ...(await fill(1, { client: "bob" }))] as [
      Job,
      Job,
      Job,
    ];
    await fill(4);
    const cuts: JobId[] = [];
    for (const [index, job] of [first, second, other].entries()) {
      queue.take(job.id, () => {
        cuts.push(job.id);
        // The second comes to its own end just before it would be cut.
        const byUser = { ...cancelled, reason: "cancelled_by_user" } as const;
        const ending = index === 0 ? byUser : done;
        void store.settle(job.id, 1, ending, 9).then(() => queue.release(job));
      });
      await store.claim(job.id, 1, 1);
      await store.markWorking(job.id, 1, 1);
    }

    expect(await cancel({ client: first.client }, true)).toBe(5);
    await clock.settle();

    expect(cuts).toEqual([first.id, second.id]);
    expect(await Promise.all([first, second, other].map(stateOf))).toEqual([
      "cancelled",
      "done",
      "working",
    ]);
  });

  test("cuts of those that run none of another model", async () => {
    const { cancel, fill, queue, store } = await scene();
    const jobs = [...(await fill(1, { model: "a" })), ...(await fill(1, { model: "b" }))];
    const cuts: (string | undefined)[] = [];
    for (const job of jobs) {
      await store.claim(job.id, 1, 1);
      queue.take(job.id, () => {
        cuts.push(job.model);
        const ending = { ...cancelled, reason: "cancelled_by_user" } as const;
        void store.settle(job.id, 1, ending, 9).then(() => queue.release(job));
      });
    }

    expect(await cancel({ model: "b" }, true)).toBe(1);
    expect(cuts).toEqual(["b"]);
  });

  test("that the disk cuts short keeps what is left, and lets it run", async () => {
    const { cancel, fill, order, queue, store } = await scene();
    const jobs = await fill(many);
    store.between = () => {
      store.failsWith = new ForemanError("storage_full", "the disk is full");
    };

    await expect(cancel()).rejects.toMatchObject({ code: "storage_full" });
    await Promise.resolve();

    const { queued } = await store.countByState();
    expect(queued).toBeGreaterThan(0);
    expect(queued).toBeLessThan(many);
    expect(queue.depth).toBe(queued);
    expect(order()[0]?.[0]).toBe(jobs[many - queued]?.id);
  });
});
