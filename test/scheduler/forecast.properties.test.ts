// Random boxes in virtual time, in which the jobs of a runner all take the same time. What is
// foretold when the last job has come is held against what then happens.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JobClass } from "../../src/job.ts";
import { forecast } from "../../src/scheduler/forecast.ts";
import type { Snapshot } from "../../src/scheduler/snapshot.ts";
import { type SimulatedJob, Simulation, type World } from "./simulation.ts";

const runsMax = Number(process.env.FOREMAN_TEST_RUNS ?? 100);

const runMs: Readonly<Record<string, number>> = { a: 2_000, b: 5_000, c: 9_000 };
const loadMs: Readonly<Record<string, number>> = { a: 3_000, b: 4_000, c: 8_000 };

/** The longest run and the longest load. */
const oneTurnMs = 17_000;

const job: fc.Arbitrary<SimulatedJob> = fc
  .record({
    atMs: fc.integer({ min: 0, max: 100_000 }),
    class: fc.constantFrom<JobClass[]>("interactive", "batch"),
    runnerKey: fc.constantFrom("a", "b", "c"),
    client: fc.constantFrom("ann", "bob", "eve"),
  })
  .map((each) => ({ ...each, runMs: runMs[each.runnerKey]! }));

const world = (slots: number, own: World["slots"] = {}): fc.Arbitrary<World> =>
  fc.record({
    limits: fc.record({
      slots: fc.constant(slots),
      swapQuantum: fc.constantFrom({ jobs: 32, ms: 120_000 }, { jobs: 4, ms: 20_000 }),
      patienceMs: fc.constant({ interactive: 5_000, batch: 300_000 }),
      batchFloor: fc.constant({ starts: 20, ms: 60_000 }),
    }),
    jobs: fc.array(job, { minLength: 1, maxLength: 150, size: "max" }),
    loadMs: fc.constant(loadMs),
    residentsMax: fc.constant(1),
    weights: fc.constantFrom({}, { ann: 3, bob: 2 }),
    slots: fc.constant(own),
    away: fc.constant([]),
  });

/** The box as it stands at one question to the scheduler, with all that a forecast wants. */
type Moment = {
  readonly nowMs: number;
  readonly snapshot: Snapshot;
  /** How many jobs had started before. */
  readonly startCount: number;
};

function momentsOf(each: World): { readonly simulation: Simulation; readonly moments: Moment[] } {
  const moments: Moment[] = [];
  const simulation: Simulation = new Simulation(each, ({ nowMs, snapshot }) => {
    const measured = { ...snapshot, swapMs: new Map(Object.entries(loadMs)) };
    moments.push({ nowMs, snapshot: measured, startCount: simulation.starts.length });
  });
  return { simulation: simulation.run(), moments };
}

function forecastAt(simulation: Simulation, moment: Moment, { limits, weights }: World) {
  const started = simulation.starts.slice(0, moment.startCount).map((start) => {
    const swapMs = start.isSwap ? loadMs[start.runnerKey]! : 0;
    return { ...start, restMs: start.startMs + swapMs + start.runMs - moment.nowMs };
  });
  const running = started.filter(({ restMs }) => restMs > 0);
  const weightOf = ({ client }: { client: string }) => weights[client] ?? 1;
  const pace = { runMs: new Map(Object.entries(runMs)), running, weightOf };
  return forecast(moment.snapshot, limits, pace);
}

/** By how much the starts of those who wait when the last job has come were foretold wrongly. */
function errorsMs(each: World): number[] {
  const lastMs = Math.max(...each.jobs.map(({ atMs }) => atMs));
  const { moments, simulation } = momentsOf(each);
  const moment = moments.findLast(({ nowMs }) => nowMs <= lastMs)!;
  const startsIn = forecastAt(simulation, moment, each);
  return moment.snapshot.lanes.flatMap(({ key }) =>
    simulation.starts
      .slice(moment.startCount)
      .filter((start) => `${start.class} ${start.runnerKey} ${start.client}` === key)
      .map(({ startMs }, i) => Math.abs(startMs - moment.nowMs - startsIn(key, i + 1)!)),
  );
}

type Quantiles = { readonly median: number; readonly most: number };

function quantiles(slots: number, own: World["slots"] = {}): Quantiles {
  const worlds = fc.sample(world(slots, own), { numRuns: runsMax, seed: 1 });
  const errors = worlds.flatMap(errorsMs).sort((one, other) => one - other);
  const at = (share: number) => errors[Math.floor(share * errors.length)]!;
  return { median: at(0.5), most: at(0.9) };
}

describe("a forecast, when nobody comes after it", () => {
  test("is right to the millisecond for most jobs, and within a run and a load for nine in ten", () => {
    const { median, most } = quantiles(1);

    expect(median).toBe(0);
    expect(most).toBeLessThanOrEqual(oneTurnMs);
  });

  test("is as good with several slots, but for one run in the middle", () => {
    const { median, most } = quantiles(3);

    expect(median).toBeLessThanOrEqual(runMs.c!);
    expect(most).toBeLessThanOrEqual(oneTurnMs);
  });

  test("is as good where clients have slots of their own", () => {
    const { median, most } = quantiles(3, { ann: 1, bob: 2 });

    expect(median).toBeLessThanOrEqual(runMs.c!);
    expect(most).toBeLessThanOrEqual(oneTurnMs);
  });
});

describe("a forecast, at any moment", () => {
  test("is never negative, grows with the position, and changes nothing that it was given", () => {
    const slots = fc.integer({ min: 1, max: 3 });
    const own = fc.constantFrom({}, { ann: 1 }, { ann: 1, bob: 2 });
    const worlds = fc.tuple(slots, own).chain((bounds) => world(...bounds));
    fc.assert(
      fc.property(worlds, fc.nat(), (each, pick) => {
        const { moments, simulation } = momentsOf(each);
        const moment = moments[pick % moments.length]!;
        const before = structuredClone(moment.snapshot);

        const startsIn = forecastAt(simulation, moment, each);
        for (const { depth, key } of moment.snapshot.lanes) {
          const starts = Array.from({ length: depth }, (_, i) => startsIn(key, i + 1)!);
          expect(starts[0]).toBeGreaterThanOrEqual(0);
          expect(starts.toSorted((one, other) => one - other)).toEqual(starts);
          expect(startsIn(key, depth + 1)).toBeNull();
        }

        expect(moment.snapshot).toEqual(before);
      }),
      { numRuns: runsMax, endOnFailure: true },
    );
  });
});
