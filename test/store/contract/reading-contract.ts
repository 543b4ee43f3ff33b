import { describe, expect, test } from "vitest";
import { aJob, prompt } from "../job-maker.ts";
import { cancelled, done, failed, lane } from "./endings.ts";
import type { StorePlace } from "./store-place.ts";

/** What a store promises of reads, documents and its end. */
export function readingContract(place: StorePlace): void {
  describe("reads", () => {
    test("see every verb that was called before them, awaited or not", async () => {
      const job = aJob({ isDurable: false });

      const answers = await Promise.all([
        place.store.job(job.id),
        place.store.insertJob(job, null),
        place.store.job(job.id),
        place.store.claim(job.id, 1, 1),
        place.store.markWorking(job.id, 1, 6),
        place.store.job(job.id),
        place.store.settle(job.id, 1, done, 2),
        place.store.job(job.id),
      ]);

      expect(answers[0]).toBeNull();
      expect([answers[2], answers[5], answers[7]]).toMatchObject([
        { state: "queued" },
        { state: "working" },
        { state: "done" },
      ]);
    });

    test("know no body of a job that has none", async () => {
      const job = aJob({ isDurable: false });
      await place.store.insertJob(job, null);

      expect(await place.store.body(job.id)).toBeNull();
      expect(await place.store.body(aJob().id)).toBeNull();
    });

    test("page through the waiting jobs of one lane alone, oldest first", async () => {
      const mine = Array.from({ length: 5 }, () => aJob());
      const strangers = [
        aJob({ client: "bob" }),
        aJob({ class: "batch" }),
        aJob({ loadKey: "m|num_ctx=8192" }),
      ];
      await Promise.all([...mine, ...strangers].map((job) => place.store.insertJob(job, null)));
      await place.store.claim(mine[1]!.id, 1, 1);

      const first = await place.store.waitingIn(lane, 0, 2);
      const rest = await place.store.waitingIn(lane, first.at(-1)!.arrival, 9);

      expect(first.map((job) => job.id)).toEqual([mine[0]!.id, mine[2]!.id]);
      expect(rest.map((job) => job.id)).toEqual([mine[3]!.id, mine[4]!.id]);
      expect(await place.store.waitingIn({ ...lane, client: "nobody" }, 0, 9)).toEqual([]);
    });

    test("tell the place of a job in its lane, which those before it give up", async () => {
      const jobs = [aJob(), aJob(), aJob({ client: "bob" }), aJob(), aJob({ isDurable: false })];
      for (const job of jobs) await place.store.insertJob(job, null);
      const placeOf = async (index: number) =>
        place.store.position((await place.store.job(jobs[index]!.id))!);

      expect(await Promise.all([0, 1, 2, 3].map(placeOf))).toEqual([1, 2, 1, 3]);
      await place.store.claim(jobs[0]!.id, 1, 1);
      await place.store.endWaiting(jobs[1]!.id, cancelled, 1);
      expect(await placeOf(3)).toBe(1);
    });

    test("count lanes by what waits in them", async () => {
      const bob = { ...lane, client: "bob" };
      const jobs = [aJob(), aJob(), aJob(bob)];
      await Promise.all(jobs.map((job) => place.store.insertJob(job, null)));
      await place.store.claim(jobs[0]!.id, 1, 1);

      expect(await place.store.lanes()).toEqual([
        { ...lane, depth: 1 },
        { ...bob, depth: 1 },
      ]);
    });

    test("leave a job on a socket to the memory that it waits in", async () => {
      const onSocket = aJob({ isDurable: false });
      const durable = aJob();
      await place.store.insertJob(onSocket, null);
      await place.store.insertJob(durable, prompt);

      const waiting = await place.store.waitingIn(lane, 0, 9);

      expect(waiting.map(({ id }) => id)).toEqual([durable.id]);
      expect(await place.store.lanes()).toEqual([{ ...lane, depth: 1 }]);
      expect(await place.store.countByState()).toMatchObject({ queued: 2 });
    });

    test("count jobs by state, at nothing and at some", async () => {
      const none = { queued: 0, loading: 0, working: 0, done: 0, failed: 0, cancelled: 0 };
      expect(await place.store.countByState()).toEqual(none);

      const loading = aJob();
      await place.store.insertJob(loading, null);
      await place.store.claim(loading.id, 1, 1);
      await place.store.insertJob(aJob(), null);
      await place.working();
      for (const ending of [done, failed, cancelled, cancelled]) {
        await place.store.settle((await place.working()).id, 1, ending, 9);
      }

      expect(await place.store.countByState()).toEqual({
        queued: 1,
        loading: 1,
        working: 1,
        done: 1,
        failed: 1,
        cancelled: 2,
      });
    });
  });

  describe("documents", () => {
    test("come back as the last version of their name, across a restart", async () => {
      await place.store.remember("inventory", Buffer.from("old"));
      await place.store.remember("inventory", Buffer.from([0, 255]));
      await place.store.remember("other", new Uint8Array());
      await place.reopen();

      expect(Buffer.from((await place.store.recall("inventory")) ?? [])).toEqual(
        Buffer.from([0, 255]),
      );
      expect(await place.store.recall("other")).toHaveLength(0);
      expect(await place.store.recall("nothing")).toBeNull();
    });
  });

  describe("heartbeat", () => {
    test("tells how many milliseconds a commit took, and that all is well", async () => {
      const beat = await place.store.heartbeat();

      expect(beat.commitMs).toBeGreaterThan(0);
      expect(beat.problem).toBeNull();
    });
  });

  describe("close", () => {
    test("finishes what was called, may be repeated, and accepts nothing after", async () => {
      const jobs = Array.from({ length: 2000 }, () => aJob());
      const inserts = jobs.map((job) => place.store.insertJob(job, prompt));

      await Promise.all([place.store.close(), place.store.close()]);

      await expect(Promise.all(inserts)).resolves.toHaveLength(2000);
      await expect(place.store.heartbeat()).rejects.toMatchObject({ code: "storage_failed" });
      await expect(place.store.countByState()).rejects.toMatchObject({ code: "storage_failed" });
      await place.reopen();
      expect((await place.store.countByState()).queued).toBe(2000);
    });
  });
}
