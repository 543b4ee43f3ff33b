// The whole daemon in virtual time, between a fake target, a fake disk and fake clients, all drawn
// from one seed; see docs/simulation.md. The seeds are fixed: what fails here fails everywhere, and
// scripts/simulate.ts runs as many others as one likes.
import { describe, expect, test } from "vitest";
import { sabotages } from "./sabotages.ts";
import { simulate } from "./simulate.ts";
import { firstViolated, planOf, replay, seedsFrom } from "./worlds.ts";

/** Some 30 ms each on the machine that it was measured on. */
const seeds = 500;

describe("a simulated world", () => {
  test("Q14 keeps its promises, whatever goes wrong", { timeout: 120_000 }, async () => {
    const totals = { lives: 0, starts: 0 };
    for (const seed of seedsFrom(1, seeds)) {
      const { lives, starts, violations } = await simulate(planOf(seed));

      expect(violations, replay(seed)).toEqual([]);
      totals.lives += lives;
      totals.starts += starts;
    }
    expect(totals.lives).toBeGreaterThan(seeds);
    expect(totals.starts).toBeGreaterThan(2 * seeds);
  });

  test("Q14 is the same world each time that its seed is run", async () => {
    for (const seed of seedsFrom(1, 10)) {
      const [first, second] = [await simulate(planOf(seed)), await simulate(planOf(seed))];

      expect(second.trace.lines).toEqual(first.trace.lines);
      expect(second.trace.hash).toBe(first.trace.hash);
    }
    const [one, other] = [await simulate(planOf(1)), await simulate(planOf(2))];
    expect(one.trace.hash).not.toBe(other.trace.hash);
  });

  for (const [broken, sought] of Object.entries(sabotages)) {
    test(`Q14 is not quiet about ${broken}`, { timeout: 60_000 }, async () => {
      const found = await firstViolated(seedsFrom(1, 200), sought);

      expect(found).not.toBeNull();
    });
  }
});
