import { describe, expect, test } from "vitest";
import type { Job } from "../../../src/job.ts";
import type { Page } from "../../../src/store/store.ts";
import { aJob } from "../job-maker.ts";
import { cancelled, done } from "./endings.ts";
import type { StorePlace } from "./store-place.ts";

/** What a store promises of lists. */
export function pageContract(place: StorePlace): void {
  /** Six jobs, named by their order: two clients, two models, four states, one on a socket. */
  async function filled(): Promise<readonly Job[]> {
    const ended = await place.working({ model: "a" });
    const working = await place.working({ client: "bob", model: "a" });
    const waiting = [
      aJob({ model: "b", client: "bob" }),
      aJob({ model: "b", isDurable: false }),
      aJob({ model: "a" }),
      aJob({ model: "b" }),
    ];
    for (const job of waiting) await place.inserted(job);
    await place.store.settle(ended.id, 1, done, 9);
    await place.store.endWaiting(waiting[3]!.id, cancelled, 8);
    return [ended, working, ...waiting];
  }

  describe("page", () => {
    test.each<{ page: Omit<Page, "limit">; found: readonly number[] }>([
      { page: {}, found: [5, 4, 3, 2, 1, 0] },
      { page: { state: undefined, client: undefined }, found: [5, 4, 3, 2, 1, 0] },
      { page: { state: "queued" }, found: [4, 3, 2] },
      { page: { state: "working" }, found: [1] },
      { page: { state: "done" }, found: [0] },
      { page: { state: "failed" }, found: [] },
      { page: { client: "ann" }, found: [5, 4, 3, 0] },
      { page: { model: "a" }, found: [4, 1, 0] },
      { page: { model: "A" }, found: [] },
      { page: { model: "a", client: "ann" }, found: [4, 0] },
      { page: { state: "queued", client: "ann" }, found: [4, 3] },
      { page: { state: "working", client: "ann" }, found: [] },
      { page: { state: "queued", model: "b" }, found: [3, 2] },
      { page: { state: "cancelled", model: "b", client: "ann" }, found: [5] },
      { page: { state: "working", model: "a", client: "bob" }, found: [1] },
    ])("finds what fits $page, newest first", async ({ page, found }) => {
      const jobs = await filled();

      const listed = await place.store.page({ ...page, limit: 99 });

      expect(listed.map(({ id }) => jobs.findIndex((job) => job.id === id))).toEqual(found);
    });

    test.each<Omit<Page, "limit">>([{}, { state: "queued" }, { client: "ann" }, { model: "b" }])(
      "goes on after the last of the page before, for %o, whatever joins meanwhile",
      async (filter) => {
        await filled();
        const all = await place.store.page({ ...filter, limit: 99 });

        const first = await place.store.page({ ...filter, limit: 2 });
        await place.inserted(aJob({ model: "b" }));
        const rest = await place.store.page({
          ...filter,
          after: first.at(-1)!.arrival,
          limit: 99,
        });

        expect([...first, ...rest]).toEqual(all);
        expect(first).toHaveLength(2);
      },
    );

    test("tells each job whole, and nothing past the oldest", async () => {
      const [oldest] = await filled();

      const page = await place.store.page({ client: "ann", limit: 99 });

      expect(page.at(-1)).toEqual(await place.store.job(oldest!.id));
      const { arrival: after } = page.at(-1)!;
      expect(await place.store.page({ client: "ann", after, limit: 9 })).toEqual([]);
    });
  });
}
