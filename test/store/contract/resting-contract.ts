import { describe, expect, test } from "vitest";
import { aJob, prompt } from "../job-maker.ts";
import { cancelled, counted, failing, lane, preempted, refunded } from "./endings.ts";
import type { StorePlace } from "./store-place.ts";

/** What a store promises of jobs that were put back: how long they rest, and how often. */
export function restingContract(place: StorePlace): void {
  describe("notBeforeMs", () => {
    test("is told of a job that was put back with it, across a restart", async () => {
      const job = await place.working();

      await place.store.putBack(job.id, 1, failing, 8, 1_700_000_123_456);
      await place.reopen();

      expect(await place.store.job(job.id)).toMatchObject({
        state: "queued",
        attempts: 1,
        notBeforeMs: 1_700_000_123_456,
        putBackWhy: "target_failed",
      });
    });

    test("moves no job from its place, nor hides it", async () => {
      const job = await place.working();
      const later = aJob();
      await place.store.insertJob(later, prompt);

      await place.store.putBack(job.id, 1, failing, 8, 99);

      expect(await place.store.waitingIn(lane, 0, 9)).toMatchObject([
        { id: job.id, notBeforeMs: 99 },
        { id: later.id, notBeforeMs: null },
      ]);
      expect(await place.store.lanes()).toEqual([{ ...lane, depth: 2 }]);
    });

    test("is cleared by the claim, which does not ask what time it is", async () => {
      const job = await place.working();
      await place.store.putBack(job.id, 1, failing, 8, 99);

      expect(await place.store.claim(job.id, 2, 98)).toBe("claimed");

      expect(await place.store.job(job.id)).toMatchObject({ state: "loading", notBeforeMs: null });
    });

    test("is null after a put back without it, and after an end", async () => {
      const [again, ended] = [await place.working(), await place.working()];
      await place.store.putBack(again.id, 1, failing, 8, 99);
      await place.store.claim(again.id, 2, 1);
      await place.store.putBack(ended.id, 1, failing, 8, 99);

      await place.store.putBack(again.id, 2, counted, 8);
      await place.store.endWaiting(ended.id, cancelled, 5);

      for (const { id } of [again, ended]) {
        expect(await place.store.job(id)).toMatchObject({ notBeforeMs: null });
      }
    });

    test("of a stale attempt is not taken", async () => {
      const job = await place.working();
      await place.store.putBack(job.id, 1, failing, 8, 99);

      expect(await place.store.putBack(job.id, 1, failing, 8, 500)).toBe("stale");

      expect(await place.store.job(job.id)).toMatchObject({ notBeforeMs: 99 });
    });
  });

  describe("preemptions", () => {
    test("are counted, and their attempts are not", async () => {
      const job = await place.working();
      await place.store.putBack(job.id, 1, preempted, 8);
      await place.store.claim(job.id, 2, 1);
      await place.store.putBack(job.id, 2, preempted, 8);

      await place.reopen();

      expect(await place.store.job(job.id)).toMatchObject({
        state: "queued",
        attempts: 0,
        lastAttempt: 2,
        preemptions: 2,
        putBackWhy: "preempted",
      });
    });

    test("are neither the other ways back nor what is stale", async () => {
      const job = await place.working();
      await place.store.putBack(job.id, 1, preempted, 8);
      expect(await place.store.putBack(job.id, 1, preempted, 8)).toBe("stale");
      for (const [attempt, putBack] of [counted, refunded, failing].entries()) {
        await place.store.claim(job.id, attempt + 2, 1);
        await place.store.putBack(job.id, attempt + 2, putBack, 8);
      }
      await place.store.claim(job.id, 5, 1);
      await place.store.recoverInterrupted(9);

      expect(await place.store.job(job.id)).toMatchObject({ preemptions: 1, attempts: 2 });
    });
  });
}
