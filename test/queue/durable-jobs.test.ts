/** Durable jobs in the queue, over a store in memory that passes the store's contract. */
import { describe, expect, test } from "vitest";
import { type Job, type JobId, newJobId } from "../../src/job.ts";
import { windowMax } from "../../src/queue/lanes.ts";
import { readRemains } from "../../src/store/remains.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { RecordingWaiter } from "../support/recording-waiter.ts";
import { queueScene } from "./queue-scene.ts";
import { aSubmission } from "./submission.ts";

const body = Buffer.from('{"model":"m"}');
const ignore = () => {};

const never = (): never => {
  throw new Error("it is there");
};

function aDurable(facts: Partial<Job> = {}): Job {
  return { ...aSubmission().job, id: newJobId(1), isDurable: true, ...facts };
}

async function withDurable(count: number) {
  const scene = queueScene();
  const ids: JobId[] = [];
  for (let i = 0; i < count; i++) {
    const job = aDurable();
    ids.push(job.id);
    const submitted = scene.queue.submitDurable({
      job,
      body,
      idempotencyKey: null,
      webhookUrl: null,
      hasClient: false,
    });
    await scene.clock.settle();
    expect(await submitted).toEqual({ kind: "queued" });
  }
  return { ...scene, ids };
}

/** Whether a client's request of that key is let in; it stays and waits. */
const keyed = async ({ clock, queue }: ReturnType<typeof queueScene>, model: string) => {
  const job = aDurable({ model });
  const joining = { job, body, idempotencyKey: job.id, webhookUrl: null, hasClient: true };
  const submitted = queue.submitDurable(joining).then(
    ({ kind }) => kind,
    ({ code }) => code,
  );
  const listener = new RecordingWaiter();
  const join = submitted.then((kind) => {
    if (kind === "queued") queue.listeners.listen(job, listener);
    return kind;
  });
  await clock.settle();
  return { kind: await join, leave: () => queue.listeners.stopListening(job.id, listener) };
};

test("a lane whose jobs could not be read is read again, though nobody joins or leaves it", async () => {
  const { clock, ids, lines, queue, store, order } = await withDurable(windowMax + 1);
  const { waitingIn } = store;
  store.waitingIn = async () => {
    throw new Error("the thread is busy");
  };
  const ending = { state: "cancelled", reason: "shutdown", message: "" } as const;
  const counts = { statusCode: null, promptTokens: null, completionTokens: null };
  for (const id of ids.slice(0, windowMax)) {
    const { job } = queue.take(id, ignore)!;
    await store.endWaiting(id, { ...ending, ...counts }, 1);
    queue.release(job);
  }
  await clock.settle();
  expect([order(), queue.depth]).toEqual([[[]], 1]);

  store.waitingIn = waitingIn;
  await clock.advance(5_000);

  expect(order()).toEqual([[ids.at(-1)]]);
  const told = lines.filter(({ msg }) => msg.startsWith("waiting jobs not read"));
  expect(told.length).toBeGreaterThan(0);
});

describe("requests with a key for a missing model", () => {
  test("have half of the places with those on sockets, and those of others the rest", async () => {
    const scene = queueScene({ depthMax: 4, missing: "gone" });
    scene.submitted({ model: "gone" });
    const first = await keyed(scene, "gone");

    expect(first.kind).toBe("queued");
    expect((await keyed(scene, "gone")).kind).toBe("queue_full");
    expect(scene.queue.submit(aSubmission({ model: "gone" }))?.code).toBe("queue_full");
    first.leave();
    expect((await keyed(scene, "gone")).kind).toBe("queued");
    expect((await keyed(scene, "there")).kind).toBe("queued");
  });

  test("are counted while they are on their way to the disk", async () => {
    const scene = queueScene({ depthMax: 4, missing: "gone" });

    const asked = await Promise.all([1, 2, 3].map(() => keyed(scene, "gone")));

    expect(asked.map(({ kind }) => kind)).toEqual(["queued", "queued", "queue_full"]);
  });
});

describe("durable jobs that wait", () => {
  test("are all counted, of which the first few are in memory", async () => {
    const { order, queue } = await withDurable(windowMax + 40);

    expect(queue.depth).toBe(windowMax + 40);
    expect(order()[0]?.length).toBe(windowMax);
  });

  test("come out in the order in which they came, across the edge of memory", async () => {
    const { clock, ids, order, queue, store } = await withDurable(windowMax * 2 + 7);

    const taken: JobId[] = [];
    for (;;) {
      const [next] = order()[0] ?? [];
      if (next === undefined) break;
      const waiting = queue.take(next, ignore);
      if (waiting === null) break;
      taken.push(next);
      void store.claim(next, 1, 0);
      await clock.settle();
      queue.release(waiting.job);
      await clock.settle();
    }

    expect(taken).toEqual(ids);
    expect(queue.depth).toBe(0);
  });

  test("are cancelled also where only the store knows them", async () => {
    const { clock, ids, queue, store } = await withDurable(windowMax + 3);
    const last = ids.at(-1) as JobId;

    const cancelled = queue.cancels.one(last);
    await clock.settle();

    expect(await cancelled).toBe(true);
    expect(queue.depth).toBe(windowMax + 2);
    expect(await store.job(last)).toMatchObject({ state: "cancelled" });
    expect(await queue.cancels.one(last)).toBe(false);
  });

  test("stay when the daemon goes, while those on sockets are turned away", async () => {
    const { clock, ids, queue, store, submitted } = await withDurable(2);
    const { id } = submitted();

    queue.drain();
    queue.endWaiting();
    await clock.settle();

    expect(await store.job(id)).toMatchObject({ state: "cancelled" });
    for (const durable of ids) expect(await store.job(durable)).toMatchObject({ state: "queued" });
    await expect(
      queue.submitDurable({
        job: aDurable(),
        body,
        idempotencyKey: null,
        webhookUrl: null,
        hasClient: false,
      }),
    ).rejects.toThrow("shutting down");
  });

  test("come back at a start, of each lane the first ones, and come out in order", async () => {
    const store = new MemoryStore();
    const jobs: Job[] = [];
    for (let i = 0; i < 300; i++) jobs.push(aDurable({ client: `client ${i % 100}` }));
    for (const job of jobs) await store.insertJob(job, body);
    for (let i = 0; i < windowMax + 9; i++) await store.insertJob(aDurable(), body);
    const { clock, order, queue } = queueScene({ store });

    await queue.restore(await readRemains(store, clock.wallMs()));

    expect(queue.depth).toBe(300 + windowMax + 9);
    const heads = order().map(([head]) => head);
    expect(heads.slice(0, 100)).toEqual(jobs.slice(0, 100).map(({ id }) => id));
    const inMemory = order().flat().length;
    expect(inMemory).toBeLessThan(queue.depth);
    const taken: JobId[] = [];
    for (let head = heads.at(-1); head !== undefined; head = order()[100]?.[0]) {
      const waiting = queue.take(head, ignore);
      taken.push(head);
      await store.claim(head, 1, 0);
      await clock.settle();
      queue.release(waiting!.job);
      await clock.settle();
    }
    expect(taken).toHaveLength(windowMax + 9);
    expect(taken).toEqual(taken.toSorted());
  });

  test("rest outside their lane after a failure, and are back when their time has come", async () => {
    const { clock, ids, order, queue } = await withDurable(1);
    const waiting = queue.take(ids[0] as JobId, ignore);
    if (waiting === null) throw new Error("it waits");

    queue.putBack(waiting, 5_000);
    await clock.advance(4_999);
    expect(order()).toEqual([]);
    await clock.advance(1);

    expect(order()).toEqual([[ids[0]]]);
  });

  test("rest no shorter and no longer when the wall clock is set", async () => {
    const { clock, ids, order, queue } = await withDurable(2);
    for (const id of ids) queue.putBack(queue.take(id, ignore) ?? never(), 5_000);

    clock.jumpWall(86_400_000);
    await clock.advance(4_999);
    expect(order()).toEqual([]);
    clock.jumpWall(-2 * 86_400_000);
    await clock.advance(1);

    expect(order()).toEqual([ids]);
  });

  test("rest ten minutes at most in a new life, though the clock was set back by days", async () => {
    const { clock, ids, store } = await withDurable(1);
    await store.claim(ids[0] ?? never(), 1, 0);
    const why = { counted: true, why: "target_failed" } as const;
    const nowMs = clock.wallMs();
    await store.putBack(ids[0] ?? never(), 1, why, nowMs, nowMs + 5 * 86_400_000);
    const later = queueScene({ store, clock });

    await later.queue.restore(await readRemains(store, clock.wallMs()));
    await clock.advance(599_999);
    expect(later.order()).toEqual([]);
    await clock.advance(1);

    expect(later.order()).toEqual([ids]);
  });

  test("join the job that has their key", async () => {
    const { clock, queue } = queueScene();
    const first = aDurable();
    const again = aDurable();

    const submit = async (job: Job) => {
      const submitted = queue.submitDurable({
        job,
        body,
        idempotencyKey: "k",
        webhookUrl: null,
        hasClient: false,
      });
      await clock.settle();
      return await submitted;
    };

    expect(await submit(first)).toEqual({ kind: "queued" });
    expect(await submit(again)).toMatchObject({ kind: "known", job: { id: first.id } });
    expect(queue.depth).toBe(1);
  });
});
