// Whole runs in virtual time, where the outcome is a number that can be worked out beforehand.
import { describe, expect, test } from "vitest";
import type { JobClass } from "../../src/job.ts";
import { limits } from "./scene.ts";
import { type SimulatedJob, Simulation, type World } from "./simulation.ts";

function world(jobs: SimulatedJob[], facts: Partial<World> = {}): World {
  const loadMs = { a: 5_000, b: 5_000, c: 5_000 };
  return { limits, jobs, loadMs, residentsMax: 1, weights: {}, away: [], ...facts };
}

type JobFacts = Partial<SimulatedJob>;

function jobs(count: number, facts: (index: number) => JobFacts): SimulatedJob[] {
  const plain = { atMs: 0, class: "interactive", runnerKey: "a", client: "ann" } as const;
  return Array.from({ length: count }, (_, index) => ({ ...plain, runMs: 1_000, ...facts(index) }));
}

function countByClient(of: readonly SimulatedJob[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { client } of of) counts[client] = (counts[client] ?? 0) + 1;
  return counts;
}

describe("schedule, over a whole run", () => {
  test("swaps twice after the first load for 60 shuffled jobs of three models", () => {
    // 7 and 60 have no common factor: each index comes once, the models are shuffled.
    const shuffled = jobs(60, (index) => ({ runnerKey: "abc"[((index * 7) % 60) % 3]! }));

    const { starts } = new Simulation(world(shuffled)).run();

    expect(starts).toHaveLength(60);
    expect(starts.filter(({ isSwap }) => isSwap)).toHaveLength(3);
  });

  test.each([
    [1, 1],
    [3, 1],
    [1, 4],
  ])("gives two busy clients GPU time by their weights, %i to %i", (ann, bob) => {
    const busy = jobs(8_000, (index) =>
      index % 2 === 0 ? { client: "ann", runMs: 3_000 } : { client: "bob", runMs: 500 },
    );

    const simulation = new Simulation(world(busy, { weights: { ann, bob } })).run(1_500_000);

    const counts = countByClient(simulation.starts);
    const annMs = 3_000 * (counts.ann ?? 0);
    const share = annMs / (annMs + 500 * (counts.bob ?? 0));
    expect(Math.abs(share / (ann / (ann + bob)) - 1)).toBeLessThan(0.1);
  });

  test("lets one person wait for one batch item at most, though 1,000 wait", () => {
    const batch = jobs(1_000, () => ({ class: "batch" as JobClass, client: "bob" }));
    const [person] = jobs(1, () => ({ atMs: 100_500 }));

    const { starts } = new Simulation(world([...batch, person!])).run();

    const start = starts.find((job) => job.class === "interactive");
    expect(start!.startMs - start!.atMs).toBeLessThanOrEqual(1_000);
  });

  test("reaches people's third model although batch work keeps opening the other two", () => {
    const endless = jobs(4_000, (index) => ({
      runnerKey: "ab"[index % 2]!,
      class: index % 4 < 2 ? "batch" : "interactive",
    }));
    const [third] = jobs(1, () => ({ atMs: 60_000, runnerKey: "c", client: "eve" }));
    const floored = { ...limits, batchFloor: { starts: 1, ms: 60_000 } };

    const { starts } = new Simulation(world([...endless, third!], { limits: floored })).run();

    const start = starts.find(({ client }) => client === "eve");
    expect(start!.startMs - start!.atMs).toBeLessThan(400_000);
  });
});
