import { describe, expect, test } from "vitest";
import { transitionsMax } from "../../../src/store/store.ts";
import { aJob, prompt } from "../job-maker.ts";
import { cancelled, counted, done, failing, preempted } from "./endings.ts";
import type { StorePlace } from "./store-place.ts";

/** What a store promises of the history of durable jobs. */
export function historyContract(place: StorePlace): void {
  const states = async (job: { readonly id: Parameters<typeof place.store.job>[0] }, after = 0) =>
    (await place.store.transitions(job.id, after)).map(({ n, state }) => `${n} ${state}`);

  describe("a job's history", () => {
    test("tells each state, when, by which attempt and why, across a restart", async () => {
      const job = aJob({ enqueuedAtMs: 1 });
      await place.store.insertJob(job, prompt);
      await place.store.claim(job.id, 1, 2);
      await place.store.markWorking(job.id, 1, 3);
      await place.store.putBack(job.id, 1, failing, 4, 99);
      await place.reopen();
      await place.store.claim(job.id, 2, 5);
      await place.store.markWorking(job.id, 2, 6);
      await place.store.settle(job.id, 2, done, 7);

      const entry = (n: number, previousState: string | null, state: string, attempt: number) => ({
        ...{ n, previousState, state, attempt, why: null, atMs: n },
      });
      expect(await place.store.transitions(job.id, 0)).toEqual([
        entry(1, null, "queued", 0),
        entry(2, "queued", "loading", 1),
        entry(3, "loading", "working", 1),
        { ...entry(4, "working", "queued", 1), why: "target_failed" },
        entry(5, "queued", "loading", 2),
        entry(6, "loading", "working", 2),
        entry(7, "working", "done", 2),
      ]);
    });

    test("is told from any entry on", async () => {
      const job = await place.working();

      expect(await states(job, 1)).toEqual(["2 loading", "3 working"]);
      expect(await states(job, 3)).toEqual([]);
      expect(await states(job, 99)).toEqual([]);
    });

    test("has no entry for what changed nothing", async () => {
      const job = await place.working();

      await place.store.claim(job.id, 2, 9);
      await place.store.markWorking(job.id, 1, 9);
      await place.store.putBack(job.id, 7, counted, 9);
      await place.store.endWaiting(job.id, cancelled, 9);
      await place.store.insertJob(job, prompt).catch(() => null);

      expect(await states(job)).toEqual(["1 queued", "2 loading", "3 working"]);
    });

    test("names the end of a job that was cancelled before its turn", async () => {
      const job = aJob();
      await place.store.insertJob(job, prompt);

      await place.store.endWaiting(job.id, cancelled, 9);

      const [, end] = await place.store.transitions(job.id, 0);
      expect(end).toMatchObject({
        state: "cancelled",
        previousState: "queued",
        why: "client_gone",
      });
    });

    test("has what a start made of a dead daemon's jobs", async () => {
      const job = await place.working();

      await place.store.recoverInterrupted(70);

      const [entry] = await place.store.transitions(job.id, 3);
      const recovered = { state: "queued", previousState: "working", why: "daemon_died" };
      expect(entry).toMatchObject({ ...recovered, atMs: 70 });
    });

    test("is read in bounded parts, however often the job was put back", async () => {
      const job = aJob();
      await place.store.insertJob(job, prompt);
      for (let attempt = 1; attempt <= transitionsMax / 2; attempt++) {
        void place.store.claim(job.id, attempt, 1);
        void place.store.putBack(job.id, attempt, preempted, 1);
      }
      await place.store.heartbeat();

      const first = await place.store.transitions(job.id, 0);
      const rest = await place.store.transitions(job.id, first.at(-1)?.n ?? 0);

      expect(first).toHaveLength(transitionsMax);
      expect(rest.map(({ n }) => n)).toEqual([transitionsMax + 1]);
    });

    test("is not kept of a job on a socket, and goes with a job that is pruned", async () => {
      const [onSocket, durable] = [aJob({ isDurable: false }), aJob()];
      await place.store.insertJob(onSocket, null);
      await place.store.insertJob(durable, prompt);
      for (const { id } of [onSocket, durable]) await place.store.endWaiting(id, cancelled, 5);

      expect(await states(onSocket)).toEqual([]);
      await place.store.prune(6, 9);
      expect(await states(durable)).toEqual([]);
    });
  });
}
