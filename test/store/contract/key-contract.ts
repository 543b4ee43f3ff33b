import { describe, expect, test } from "vitest";
import { aJob, prompt } from "../job-maker.ts";
import { cancelled, lane } from "./endings.ts";
import type { StorePlace } from "./store-place.ts";

const idempotencyKey = "order 66";

/** What a store promises of idempotency keys. */
export function keyContract(place: StorePlace): void {
  describe("an idempotency key", () => {
    test("that is known answers its job as it stands, and changes nothing", async () => {
      const [first, second] = [aJob(), aJob({ bodyHash: "other", class: "batch" })];
      await place.store.insertJob(first, prompt, { idempotencyKey });
      await place.reopen();
      await place.store.claim(first.id, 1, 5);

      const again = await place.store.insertJob(second, Buffer.from("x"), { idempotencyKey });

      expect(again).toEqual({ kind: "known", job: await place.store.job(first.id) });
      expect(again).toMatchObject({ job: { state: "loading", bodyHash: first.bodyHash } });
      expect(await place.store.job(second.id)).toBeNull();
      expect(Buffer.from((await place.store.body(first.id)) ?? [])).toEqual(prompt);
    });

    test("is one client's own, and none is shared by any number of jobs", async () => {
      await place.store.insertJob(aJob(), prompt, { idempotencyKey });

      const kinds = [
        await place.store.insertJob(aJob({ client: "bob" }), prompt, { idempotencyKey }),
        await place.store.insertJob(aJob(), prompt, { idempotencyKey: "another" }),
        await place.store.insertJob(aJob(), prompt, { idempotencyKey: "" }),
        await place.store.insertJob(aJob(), prompt, { idempotencyKey: undefined }),
        await place.store.insertJob(aJob(), prompt, {}),
        await place.store.insertJob(aJob(), prompt),
      ].map(({ kind }) => kind);

      expect(new Set(kinds)).toEqual(new Set(["inserted"]));
    });

    test("given by many at the same time makes one job", async () => {
      const jobs = Array.from({ length: 50 }, () => aJob());

      const insertions = await Promise.all(
        jobs.map((job) => place.store.insertJob(job, prompt, { idempotencyKey })),
      );

      expect(insertions.map(({ kind }) => kind)).toEqual([
        "inserted",
        ...Array.from({ length: 49 }, () => "known"),
      ]);
      expect(insertions.at(-1)).toMatchObject({ job: { id: jobs[0]!.id } });
      expect(await place.store.waitingIn(lane, 0, 99)).toHaveLength(1);
    });

    test("given a second time with the very same job answers it, not an error", async () => {
      const job = aJob();
      await place.store.insertJob(job, prompt, { idempotencyKey });

      expect(await place.store.insertJob(job, prompt, { idempotencyKey })).toMatchObject({
        kind: "known",
        job: { id: job.id },
      });
    });

    test("is held by its job after the end, and free when that is pruned", async () => {
      const job = aJob();
      await place.store.insertJob(job, prompt, { idempotencyKey });
      await place.store.endWaiting(job.id, cancelled, 9);

      expect(await place.store.insertJob(aJob(), prompt, { idempotencyKey })).toMatchObject({
        kind: "known",
        job: { id: job.id, state: "cancelled" },
      });
      await place.store.prune(10, 9);
      expect(await place.store.insertJob(aJob(), prompt, { idempotencyKey })).toMatchObject({
        kind: "inserted",
      });
    });

    test("is not taken by an insert that is rejected: an id that exists, a socket's", async () => {
      const job = aJob();
      await place.store.insertJob(job, prompt);
      const onSocket = aJob({ isDurable: false });

      for (const refused of [job, onSocket]) {
        await expect(
          place.store.insertJob(refused, null, { idempotencyKey }),
        ).rejects.toMatchObject({ name: "ForemanError", code: "internal" });
      }

      expect(await place.store.job(onSocket.id)).toBeNull();
      const insertion = await place.store.insertJob(aJob(), prompt, { idempotencyKey });
      expect(insertion.kind).toBe("inserted");
    });
  });
}
