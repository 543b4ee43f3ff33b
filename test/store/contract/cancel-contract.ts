import { describe, expect, test } from "vitest";
import type { Job } from "../../../src/job.ts";
import type { WaitingSlice } from "../../../src/store/waiting-slice.ts";
import { aJob, prompt } from "../job-maker.ts";
import { cancelled, failing } from "./endings.ts";
import type { StorePlace } from "./store-place.ts";

/** What a store promises of the cancel of many jobs. */
export function cancelContract(place: StorePlace): void {
  const whole: WaitingSlice = { after: 0, upTo: Number.MAX_SAFE_INTEGER, limit: 99 };
  const cancel = (slice: Partial<WaitingSlice> = {}) =>
    place.store.cancelWaiting({ ...whole, ...slice }, cancelled, 7);

  async function waiting(facts: Partial<Job> = {}): Promise<Job> {
    const job = aJob(facts);
    await place.store.insertJob(job, job.isDurable ? prompt : null);
    return job;
  }

  describe("cancelWaiting", () => {
    test("ends what waits, tells its lane, and forgets its body, across a restart", async () => {
      const job = await waiting({ class: "batch", client: "bob", loadKey: "k" });

      const told = await cancel();
      await place.reopen();

      const { id } = job;
      expect(told).toEqual({
        jobs: [{ id, class: "batch", client: "bob", loadKey: "k" }],
        next: null,
      });
      expect(await place.store.job(id)).toMatchObject({
        state: "cancelled",
        attempts: 0,
        ending: { ...cancelled, endedAtMs: 7 },
      });
      expect(await place.store.body(id)).toBeNull();
      expect(await place.store.lanes()).toEqual([]);
      const history = await place.store.transitions(id, 0);
      expect(history.at(-1)).toMatchObject({ state: "cancelled", why: cancelled.reason, atMs: 7 });
    });

    test("ends one that rests as well, and clears until when", async () => {
      const job = await place.working();
      await place.store.putBack(job.id, 1, failing, 2, 5_000);

      expect((await cancel()).jobs).toMatchObject([{ id: job.id }]);

      expect(await place.store.job(job.id)).toMatchObject({
        state: "cancelled",
        notBeforeMs: null,
      });
    });

    test("leaves alone what runs, what has ended, and what waits on a socket", async () => {
      const onSocket = await waiting({ isDurable: false });
      const loading = await waiting();
      await place.store.claim(loading.id, 1, 1);
      const working = await place.working();
      const ended = await waiting();
      await place.store.endWaiting(ended.id, { ...cancelled, reason: "shutdown" }, 3);

      expect(await cancel()).toEqual({ jobs: [], next: null });

      const states = await Promise.all(
        [onSocket, loading, working].map(async ({ id }) => (await place.store.job(id))?.state),
      );
      expect(states).toEqual(["queued", "loading", "working"]);
      expect((await place.store.job(ended.id))?.ending).toMatchObject({ reason: "shutdown" });
    });

    test.each<{ filter: Partial<WaitingSlice>; found: readonly number[] }>([
      { filter: { model: "a" }, found: [0, 2] },
      { filter: { client: "bob" }, found: [1, 2] },
      { filter: { client: "bob", model: "a" }, found: [2] },
      { filter: { client: "nobody" }, found: [] },
      { filter: { model: "A" }, found: [] },
      { filter: { model: undefined, client: undefined }, found: [0, 1, 2] },
    ])("ends what fits $filter and nothing else", async ({ filter, found }) => {
      const jobs = [
        await waiting({ model: "a", client: "ann" }),
        await waiting({ model: "b", client: "bob" }),
        await waiting({ model: "a", client: "bob" }),
      ];

      const told = await cancel(filter);

      expect(told.jobs.map(({ id }) => jobs.findIndex((job) => job.id === id))).toEqual(found);
      expect(await place.store.countByState()).toMatchObject({
        queued: 3 - found.length,
        cancelled: found.length,
      });
    });

    test("looks at a bounded part, in order of arrival, and says where to go on", async () => {
      const jobs: Job[] = [];
      for (let i = 0; i < 5; i++) jobs.push(await waiting({ client: i % 2 ? "bob" : "ann" }));

      const first = await cancel({ client: "ann", limit: 2 });
      const second = await cancel({ client: "ann", limit: 2, after: first.next ?? -1 });
      const third = await cancel({ client: "ann", limit: 2, after: second.next ?? -1 });

      const told = [first, second, third].map((slice) => slice.jobs.map(({ id }) => id));
      expect(told).toEqual([0, 2, 4].map((i) => [jobs[i]?.id]));
      expect(third.next).toBeNull();
    });

    test("leaves alone what arrived after the bound", async () => {
      const first = aJob();
      const upTo = await place.inserted(first);
      const later = await waiting();

      expect((await cancel({ upTo })).jobs).toMatchObject([{ id: first.id }]);

      expect(await place.store.job(later.id)).toMatchObject({ state: "queued" });
    });
  });
}
