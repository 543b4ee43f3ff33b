import { expect } from "vitest";
import { type JobId, mayBecome } from "../../src/job.ts";
import type { Store, StoredJob } from "../../src/store/store.ts";

/** All that a store tells of these jobs, in a form that two stores can be compared by. */
export async function viewOf(store: Store, ids: readonly JobId[]) {
  const jobs = await Promise.all(
    ids.map(async (id) => {
      const [job, body, answer] = [store.job(id), store.body(id), store.answer(id)];
      const transitions = await store.transitions(id, 0);
      return {
        job: unworded(await job),
        body: text(await body),
        answer: plain(await answer),
        transitions,
      };
    }),
  );
  const { deliveries, nextAtMs } = await store.outbox.due(500, 2);
  const lanes = await store.lanes();
  return {
    jobs,
    lanes: lanes.map((lane) => JSON.stringify(Object.entries(lane).toSorted())).toSorted(),
    waiting: await Promise.all(lanes.map((lane) => store.waitingIn(lane, 1, 3))).then((each) =>
      each.flat().toSorted((a, b) => a.arrival - b.arrival),
    ),
    counts: await store.countByState(),
    newest: await store.newestArrival(),
    newestOfAnn: (await store.page({ client: "ann", limit: 3 })).map(unworded),
    failedOnes: (
      await store.page({ ...{ state: "failed", model: "a:latest" }, after: 9, limit: 3 })
    ).map(unworded),
    due: deliveries.map(({ seq: _seq, ...delivery }) => delivery),
    nextAtMs,
    depth: await store.outbox.depth(),
  };
}

/** What is true of any store at any time, whatever it was told. */
export function expectSound({ jobs, counts }: Awaited<ReturnType<typeof viewOf>>): void {
  const kept = jobs.flatMap(({ job }) => (job === null ? [] : [job]));
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(kept.length);
  for (const { answer, body, job, transitions } of jobs) {
    expect(transitions.map(({ n }) => n)).toEqual(transitions.map((_, i) => i + 1));
    for (const { previousState, state } of transitions) {
      expect(previousState === null || mayBecome(previousState, state)).toBe(true);
    }
    if (job === null) continue;
    if (job.isDurable) expect(transitions.at(-1)?.state).toBe(job.state);
    expectSoundJob(job);
    expect(body !== null).toBe(job.isDurable && job.ending === null);
    expect(answer === null || job.ending !== null).toBe(true);
  }
}

function expectSoundJob(job: StoredJob): void {
  expect(job.attempts).toBeLessThanOrEqual(job.lastAttempt);
  expect(job.attempts).toBeGreaterThanOrEqual(0);
  expect(job.ending !== null).toBe(["done", "failed", "cancelled"].includes(job.state));
  expect(job.notBeforeMs === null || job.state === "queued").toBe(true);
}

/** Without the words of its end, which are each store's own. */
export function unworded<T extends StoredJob | null>(job: T) {
  return job?.ending ? { ...job, ending: { ...job.ending, message: null } } : job;
}

function text(bytes: Uint8Array | null): string | null {
  return bytes && Buffer.from(bytes).toString();
}

function plain<T extends { readonly body: Uint8Array }>(answer: T | null) {
  return answer && { ...answer, body: text(answer.body) };
}
