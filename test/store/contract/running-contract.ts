import { describe, expect, test } from "vitest";
import { aJob, prompt } from "../job-maker.ts";
import { cancelled, counted, done, failed, lane, refunded } from "./endings.ts";
import type { StorePlace } from "./store-place.ts";

/** What a store promises of attempts. */
export function runningContract(place: StorePlace): void {
  describe("claim", () => {
    test("counts the attempt before anything is sent", async () => {
      const job = aJob();
      await place.store.insertJob(job, prompt);

      expect(await place.store.claim(job.id, 1, 77)).toBe("claimed");

      expect(await place.store.job(job.id)).toMatchObject({
        state: "loading",
        lastAttempt: 1,
        attempts: 1,
        startedAtMs: 77,
      });
    });

    test("is won by one of many at the same time", async () => {
      const job = aJob();
      await place.store.insertJob(job, prompt);

      const outcomes = await Promise.all(
        Array.from({ length: 50 }, () => place.store.claim(job.id, 1, 1)),
      );

      expect(outcomes.filter((outcome) => outcome === "claimed")).toHaveLength(1);
      expect(await place.store.job(job.id)).toMatchObject({ attempts: 1 });
    });

    test("is lost for a job that is not there", async () => {
      expect(await place.store.claim(aJob().id, 1, 1)).toBe("lost");
    });

    test("is lost with a number that an earlier attempt had, though it was refunded", async () => {
      const job = await place.working();
      await place.store.putBack(job.id, 1, refunded, 8);

      expect(await place.store.claim(job.id, 1, 1)).toBe("lost");
      expect(await place.store.claim(job.id, 2, 1)).toBe("claimed");

      expect(await place.store.job(job.id)).toMatchObject({ lastAttempt: 2, attempts: 1 });
    });
  });

  describe("markWorking", () => {
    test("is stale for another attempt, a second time, and a job that waits", async () => {
      const job = aJob();
      await place.store.insertJob(job, prompt);

      expect(await place.store.markWorking(job.id, 0, 6)).toBe("stale");
      await place.store.claim(job.id, 1, 1);
      expect(await place.store.markWorking(job.id, 2, 6)).toBe("stale");
      expect(await place.store.markWorking(job.id, 1, 6)).toBe("marked");
      expect(await place.store.markWorking(job.id, 1, 6)).toBe("stale");
    });
  });

  describe("settle", () => {
    test.each([done, failed, cancelled])("records $state once, with its facts", async (ending) => {
      const job = await place.working();

      expect(await place.store.settle(job.id, 1, ending, 99)).toBe("settled");
      expect(await place.store.settle(job.id, 1, failed, 100)).toBe("stale");
      await place.reopen();

      expect(await place.store.job(job.id)).toMatchObject({
        state: ending.state,
        ending: { ...ending, endedAtMs: 99 },
      });
      expect(await place.store.body(job.id)).toBeNull();
    });

    test("ends a loading job, but never as done", async () => {
      const job = aJob();
      await place.store.insertJob(job, prompt);
      await place.store.claim(job.id, 1, 1);

      expect(await place.store.settle(job.id, 1, done, 2)).toBe("stale");
      expect(await place.store.settle(job.id, 1, cancelled, 3)).toBe("settled");
    });

    test("is stale for an attempt that another has followed", async () => {
      const job = await place.working();
      await place.store.putBack(job.id, 1, counted, 8);
      expect(await place.store.settle(job.id, 1, failed, 9)).toBe("stale");
      await place.store.claim(job.id, 2, 1);
      await place.store.markWorking(job.id, 2, 6);

      expect(await place.store.settle(job.id, 1, done, 9)).toBe("stale");
      expect(await place.store.settle(job.id, 2, done, 9)).toBe("settled");
    });

    test("lets nothing leave an end", async () => {
      const job = await place.working();
      await place.store.settle(job.id, 1, done, 9);
      const before = await place.store.job(job.id);

      expect([
        await place.store.claim(job.id, 2, 1),
        await place.store.markWorking(job.id, 1, 6),
        await place.store.putBack(job.id, 1, refunded, 8),
        await place.store.endWaiting(job.id, cancelled, 10),
        await place.store.recoverInterrupted(11),
      ]).toEqual(["lost", "stale", "stale", "lost", { requeued: 0, cancelled: [], poisoned: [] }]);

      expect(await place.store.job(job.id)).toEqual(before);
    });
  });

  describe("putBack", () => {
    test("gives a job its old place, ahead of what came later", async () => {
      const job = await place.working();
      const later = aJob();
      await place.store.insertJob(later, prompt);

      expect(await place.store.putBack(job.id, 1, refunded, 8)).toBe("queued");

      const waiting = await place.store.waitingIn(lane, 0, 9);
      expect(waiting.map((each) => each.id)).toEqual([job.id, later.id]);
      expect(Buffer.from((await place.store.body(job.id)) ?? [])).toEqual(prompt);
    });

    test.each([
      { putBack: refunded, attempts: 0 },
      { putBack: counted, attempts: 1 },
    ])("leaves $attempts attempts when counted is $putBack.counted", async (row) => {
      const job = await place.working();

      await place.store.putBack(job.id, 1, row.putBack, 8);

      expect(await place.store.job(job.id)).toMatchObject({
        state: "queued",
        attempts: row.attempts,
        lastAttempt: 1,
        putBackWhy: row.putBack.why,
      });
    });

    test("is stale for another attempt and for a job that waits", async () => {
      const job = await place.working();

      expect(await place.store.putBack(job.id, 2, counted, 8)).toBe("stale");
      expect(await place.store.putBack(job.id, 1, counted, 8)).toBe("queued");
      expect(await place.store.putBack(job.id, 1, counted, 8)).toBe("stale");
    });
  });
}
