import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mayBecome } from "../../../src/job.ts";
import { aJob, prompt } from "../job-maker.ts";
import { answered, cancelled, done, failed, preempted, refunded } from "./endings.ts";
import type { StorePlace } from "./store-place.ts";

/** What a store promises after the death of its daemon, and of any order of verbs. */
export function recoveryContract(place: StorePlace): void {
  describe("recoverInterrupted", () => {
    test("gives durable jobs their place back and ends those of a lost socket", async () => {
      const [waits, loads, works] = [aJob(), aJob(), await place.working()];
      const [socketWaits, socketWorks] = [
        aJob({ isDurable: false }),
        await place.working({ isDurable: false }),
      ];
      await place.store.insertJob(waits, prompt);
      await place.store.insertJob(loads, prompt);
      await place.store.claim(loads.id, 1, 1);
      await place.store.insertJob(socketWaits, null);

      const recovery = await place.store.recoverInterrupted(500);

      const cancelled = [socketWaits.class, socketWorks.class];
      expect(recovery).toEqual({ requeued: 2, cancelled, poisoned: [] });
      expect(await place.store.job(waits.id)).toMatchObject({ state: "queued", putBackWhy: null });
      for (const { id } of [loads, works]) {
        expect(await place.store.job(id)).toMatchObject({
          state: "queued",
          attempts: 0,
          lastAttempt: 1,
          putBackWhy: "daemon_died",
        });
        expect(Buffer.from((await place.store.body(id)) ?? [])).toEqual(prompt);
      }
      for (const { id } of [socketWaits, socketWorks]) {
        expect(await place.store.job(id)).toMatchObject({
          state: "cancelled",
          ending: { reason: "client_gone", endedAtMs: 500 },
        });
      }
    });

    test("fails a job that ran at the third death of the daemon, not at the second", async () => {
      const job = aJob();
      await place.store.insertJob(job, prompt);
      for (const attempt of [1, 2]) {
        await place.store.claim(job.id, attempt, 1);
        expect(await place.store.recoverInterrupted(2)).toMatchObject({
          requeued: 1,
          poisoned: [],
        });
      }
      await place.store.claim(job.id, 3, 1);

      expect(await place.store.recoverInterrupted(3)).toEqual({
        requeued: 0,
        cancelled: [],
        poisoned: [job.class],
      });

      expect(await place.store.job(job.id)).toMatchObject({
        state: "failed",
        attempts: 0,
        ending: { reason: "poison_item", endedAtMs: 3, message: expect.stringContaining("died") },
      });
      expect(await place.store.body(job.id)).toBeNull();
    });

    test("ends a job of a lost socket that was to rest a while", async () => {
      const { id } = await place.working({ isDurable: false });
      await place.store.putBack(id, 1, refunded, 8, 9_000);

      await place.store.recoverInterrupted(500);

      expect(await place.store.job(id)).toMatchObject({ state: "cancelled", notBeforeMs: null });
    });

    test("finds nothing the second time", async () => {
      await place.working();
      await place.store.recoverInterrupted(1);

      expect(await place.store.recoverInterrupted(2)).toEqual({
        requeued: 0,
        cancelled: [],
        poisoned: [],
      });
    });
  });

  test("no sequence of verbs leaves the chart of states", async () => {
    const verb = fc.record({
      kind: fc.constantFrom(
        ...["claim", "mark", "done", "fail", "putBack", "preempt", "endWaiting", "recover"],
      ),
      attempt: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(verb, { maxLength: 12 }), async (verbs) => {
        const job = aJob();
        await place.store.insertJob(job, prompt);
        let before = (await place.store.job(job.id))!;
        for (const { kind, attempt } of verbs) {
          if (kind === "claim") await place.store.claim(job.id, attempt, 1);
          if (kind === "mark") await place.store.markWorking(job.id, attempt, 6);
          if (kind === "done") await place.store.settle(job.id, attempt, done, 2, answered);
          if (kind === "fail") await place.store.settle(job.id, attempt, failed, 2);
          if (kind === "putBack") await place.store.putBack(job.id, attempt, refunded, 8);
          if (kind === "preempt") await place.store.putBack(job.id, attempt, preempted, 8, 7);
          if (kind === "endWaiting") await place.store.endWaiting(job.id, cancelled, 2);
          if (kind === "recover") await place.store.recoverInterrupted(2);
          const after = (await place.store.job(job.id))!;
          expect(after.state === before.state || mayBecome(before.state, after.state)).toBe(true);
          expect(after.lastAttempt).toBeGreaterThanOrEqual(before.lastAttempt);
          expect(after.ending === null).toBe(
            !["done", "failed", "cancelled"].includes(after.state),
          );
          expect(after.state === "queued" || after.notBeforeMs === null).toBe(true);
          expect((await place.store.answer(job.id)) !== null).toBe(after.state === "done");
          before = after;
        }
      }),
      { numRuns: 40 },
    );
  });
}
