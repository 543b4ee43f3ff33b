import { describe, expect, test } from "vitest";
import type { Answer } from "../../../src/store/store.ts";
import { aJob, prompt } from "../job-maker.ts";
import { answered, counted, done, failed } from "./endings.ts";
import type { StorePlace } from "./store-place.ts";

/** What a store promises of the target's answers. */
export function answerContract(place: StorePlace): void {
  const kept = async (id: Parameters<StorePlace["store"]["answer"]>[0]) => {
    const answer = await place.store.answer(id);
    return answer && { ...answer, body: Buffer.from(answer.body) };
  };

  describe("answer", () => {
    test.each<Answer>([
      answered,
      { statusCode: 502, contentType: "", body: new Uint8Array(), isCompressed: false },
      { ...answered, body: Buffer.from([0, 255, 10, 13, 0]).subarray(1), isCompressed: true },
    ])("is kept byte for byte, across a restart: $statusCode", async (answer) => {
      const job = await place.working();
      const length = answer.body.length;

      await place.store.settle(job.id, 1, done, 9, answer);
      await place.reopen();

      expect(await kept(job.id)).toEqual({ ...answer, body: Buffer.from(answer.body) });
      expect(answer.body).toHaveLength(length);
    });

    test("is there for whoever was told that the job has ended", async () => {
      const job = await place.working();

      const settled = place.store.settle(job.id, 1, done, 9, answered);
      const seen = await place.store.job(job.id);

      expect(seen).toMatchObject({ state: "done" });
      expect(await kept(job.id)).toEqual(answered);
      expect(await settled).toBe("settled");
    });

    test("is kept with a failure as well", async () => {
      const job = await place.working();

      await place.store.settle(job.id, 1, failed, 9, { ...answered, statusCode: 500 });

      expect(await kept(job.id)).toMatchObject({ statusCode: 500 });
    });

    test("is null before the end, for an end without one, and for nobody's id", async () => {
      const [running, ended] = [await place.working(), await place.working()];
      await place.store.settle(ended.id, 1, done, 9);

      expect(await kept(running.id)).toBeNull();
      expect(await kept(ended.id)).toBeNull();
      expect(await kept(aJob().id)).toBeNull();
    });

    test("of a stale attempt is not kept, and replaces none", async () => {
      const late = { ...answered, body: Buffer.from("late") };
      const job = await place.working();
      await place.store.putBack(job.id, 1, counted, 8);
      expect(await place.store.settle(job.id, 1, done, 9, late)).toBe("stale");
      expect(await kept(job.id)).toBeNull();
      await place.store.claim(job.id, 2, 1);
      await place.store.markWorking(job.id, 2, 6);

      expect(await place.store.settle(job.id, 2, done, 9, answered)).toBe("settled");
      expect(await place.store.settle(job.id, 2, done, 9, late)).toBe("stale");

      expect(await kept(job.id)).toEqual(answered);
    });

    test("that comes before a job works cannot make it done", async () => {
      const job = aJob();
      await place.store.insertJob(job, prompt);
      await place.store.claim(job.id, 1, 1);

      expect(await place.store.settle(job.id, 1, done, 9, answered)).toBe("stale");

      expect(await kept(job.id)).toBeNull();
    });

    test("goes when its job is pruned, and no other does", async () => {
      const [old, young] = [await place.working(), await place.working()];
      await place.store.settle(old.id, 1, done, 9, answered);
      await place.store.settle(young.id, 1, done, 10, answered);

      await place.store.prune(10, 9);

      expect(await kept(old.id)).toBeNull();
      expect(await kept(young.id)).toEqual(answered);
    });
  });
}
