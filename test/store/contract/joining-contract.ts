import { describe, expect, test } from "vitest";
import { newJobId } from "../../../src/job.ts";
import { aJob, prompt } from "../job-maker.ts";
import { cancelled, done, lane } from "./endings.ts";
import type { StorePlace } from "./store-place.ts";

/** What a store promises of jobs that wait. */
export function joiningContract(place: StorePlace): void {
  describe("insertJob", () => {
    test("remembers every fact of a job, across a restart", async () => {
      const job = aJob({ class: "batch", client: "näme 'quoted'", isDurable: false });

      const arrival = await place.inserted(job);
      await place.reopen();

      expect(await place.store.job(job.id)).toEqual({
        ...job,
        arrival,
        deliveriesLeft: null,
        state: "queued",
        lastAttempt: 0,
        attempts: 0,
        preemptions: 0,
        notBeforeMs: null,
        putBackWhy: null,
        startedAtMs: null,
        ending: null,
      });
    });

    test("numbers arrivals in the order of the calls, not of ids or clocks", async () => {
      const jobs = [3, 1, 2].map((ms) => aJob({ id: newJobId(ms), enqueuedAtMs: ms }));

      const arrivals = await Promise.all(jobs.map((job) => place.inserted(job)));

      expect(arrivals).toEqual(arrivals.toSorted((a, b) => a - b));
      expect((await place.store.waitingIn(lane, 0, 9)).map((job) => job.id)).toEqual(
        jobs.map((job) => job.id),
      );
    });

    test("keeps the body byte for byte, and the caller keeps its bytes", async () => {
      const bytes = Buffer.from([0, 255, 10, 13, 0, 128]);
      const job = aJob();

      await place.store.insertJob(job, bytes.subarray(1));
      await place.reopen();

      expect(Buffer.from((await place.store.body(job.id)) ?? [])).toEqual(bytes.subarray(1));
      expect(bytes.length).toBe(6);
    });

    test("rejects an id that exists, and leaves the first and its neighbours alone", async () => {
      const [first, second, third] = [aJob(), aJob(), aJob()];

      const outcomes = await Promise.allSettled([
        place.store.insertJob(first, prompt),
        place.store.insertJob(second, null),
        place.store.insertJob({ ...first, model: "other" }, Buffer.from("other")),
        place.store.insertJob(third, null),
      ]);

      expect(outcomes.map((outcome) => outcome.status)).toEqual([
        "fulfilled",
        "fulfilled",
        "rejected",
        "fulfilled",
      ]);
      expect(outcomes[2]).toMatchObject({ reason: { name: "ForemanError", code: "internal" } });
      expect(await place.store.job(first.id)).toMatchObject({ model: "m:latest" });
      expect(Buffer.from((await place.store.body(first.id)) ?? [])).toEqual(prompt);
      expect((await place.store.countByState()).queued).toBe(3);
    });
  });

  describe("endWaiting", () => {
    test("ends a job that waits, and forgets its body", async () => {
      const job = aJob();
      await place.store.insertJob(job, prompt);

      expect(await place.store.endWaiting(job.id, cancelled, 9)).toBe("ended");

      expect(await place.store.job(job.id)).toMatchObject({
        state: "cancelled",
        attempts: 0,
        ending: { reason: "client_gone", endedAtMs: 9 },
      });
      expect(await place.store.body(job.id)).toBeNull();
    });

    test("is lost for a job that runs, and never says done", async () => {
      const running = await place.working();
      const waiting = aJob();
      await place.store.insertJob(waiting, prompt);

      expect(await place.store.endWaiting(running.id, cancelled, 9)).toBe("lost");
      expect(await place.store.endWaiting(waiting.id, done, 9)).toBe("lost");
    });
  });

  describe("prune", () => {
    test("frees no arrival for another job, be the newest pruned or all, over a restart", async () => {
      const jobs = [aJob(), aJob(), aJob()];
      const arrivals: number[] = [];
      expect(await place.store.newestArrival()).toBe(0);
      for (const job of jobs) {
        arrivals.push(await place.inserted(job));
        await place.store.endWaiting(job.id, cancelled, 1);
        await place.store.prune(2, 9);
      }
      await place.reopen();
      expect(await place.store.newestArrival()).toBe(arrivals[2]);
      arrivals.push(await place.inserted(aJob()));
      await place.store.prune(2, 9);
      arrivals.push(await place.inserted(aJob()));

      expect(arrivals).toEqual([...new Set(arrivals)].toSorted((a, b) => a - b));
      expect((await place.store.page({ limit: 9 })).map(({ arrival }) => arrival)).toEqual(
        arrivals.slice(3).toReversed(),
      );
    });

    test("deletes what ended before the moment, longest ended first, up to the limit", async () => {
      const ended = [];
      for (const atMs of [30, 10, 20, 40]) {
        const job = await place.working();
        await place.store.settle(job.id, 1, done, atMs);
        ended.push(job);
      }
      const alive = await place.working();

      expect(await place.store.prune(40, 2)).toBe(2);
      expect(await Promise.all(ended.map((job) => place.store.job(job.id)))).toMatchObject([
        { ending: { endedAtMs: 30 } },
        null,
        null,
        { ending: { endedAtMs: 40 } },
      ]);
      expect(await place.store.prune(40, 2)).toBe(1);
      expect(await place.store.prune(40, 2)).toBe(0);
      expect(await place.store.job(alive.id)).not.toBeNull();
    });

    test("gives an arrival to a new job that is above every one that is left", async () => {
      const older = aJob();
      const arrival = await place.inserted(older);
      const last = aJob();
      await place.store.insertJob(last, null);
      await place.store.endWaiting(last.id, cancelled, 1);
      await place.store.prune(2, 9);

      expect(await place.inserted(aJob())).toBeGreaterThan(arrival);
    });
  });
}
