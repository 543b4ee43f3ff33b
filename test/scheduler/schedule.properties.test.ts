// Random boxes in virtual time. The bounds are those of src/scheduler/design.md, word for word.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JobClass } from "../../src/job.ts";
import { schedule } from "../../src/scheduler/schedule.ts";
import { type Asked, type SimulatedJob, Simulation, type World } from "./simulation.ts";

/**
 * Each run is up to 250 jobs, so this keeps the file at 3 s; `FOREMAN_TEST_RUNS` asks for more. A
 * counterexample is shown as found, since shrinking one takes minutes: its seed and path replay it.
 */
const runsMax = Number(process.env.FOREMAN_TEST_RUNS ?? 100);

const runners = ["a", "b", "c"];
const clients = ["ann", "bob", "eve"];
const classes: JobClass[] = ["interactive", "batch"];

const simulatedJob: fc.Arbitrary<SimulatedJob> = fc.record({
  atMs: fc.integer({ min: 0, max: 400_000 }),
  class: fc.constantFrom(...classes),
  runnerKey: fc.constantFrom(...runners),
  client: fc.constantFrom(...clients),
  runMs: fc.integer({ min: 1_000, max: 8_000 }),
});

const someLimits = fc.record({
  slots: fc.integer({ min: 1, max: 4 }),
  swapQuantum: fc.record({
    jobs: fc.integer({ min: 0, max: 12 }),
    ms: fc.integer({ min: 0, max: 60_000 }),
  }),
  patienceMs: fc.record({
    interactive: fc.integer({ min: 0, max: 10_000 }),
    batch: fc.integer({ min: 0, max: 100_000 }),
  }),
  batchFloor: fc.record({
    starts: fc.integer({ min: 1, max: 20 }),
    ms: fc.integer({ min: 1, max: 60_000 }),
  }),
});

const swapCost = fc.integer({ min: 0, max: 9_000 });

const world: fc.Arbitrary<World> = fc.record({
  limits: someLimits,
  jobs: fc.array(simulatedJob, { minLength: 1, maxLength: 250, size: "max" }),
  loadMs: fc.record({ a: swapCost, b: swapCost, c: swapCost }),
  residentsMax: fc.integer({ min: 1, max: 2 }),
  weights: fc.record({ ann: fc.constantFrom(0.5, 1, 3) }),
  away: fc.constant([]),
});

const absence = fc
  .tuple(fc.integer({ min: 0, max: 400_000 }), fc.integer({ min: 1, max: 50_000 }))
  .map(([fromMs, ms]) => ({ fromMs, toMs: fromMs + ms }));

const worldWithAbsences = fc
  .tuple(world, fc.array(absence, { maxLength: 3 }))
  .map(([each, away]) => ({ ...each, away }));

const worldWithSlots = fc
  .tuple(worldWithAbsences, fc.record({ ann: fc.constantFrom(1, 2), bob: fc.constantFrom(1, 9) }))
  .map(([each, slots]) => ({ ...each, slots }));

function always(worlds: fc.Arbitrary<World>, holds: (each: World) => void): void {
  fc.assert(fc.property(worlds, holds), { numRuns: runsMax, endOnFailure: true });
}

/** Longest run, longest load, shortest run. */
function extremes({ jobs, loadMs }: World): { runMs: number; swapMs: number; leastMs: number } {
  const runs = jobs.map(({ runMs }) => runMs);
  const swapMs = Math.max(...Object.values(loadMs));
  return { runMs: Math.max(...runs), swapMs, leastMs: Math.min(...runs) };
}

/** T of design.md: the longest that a runner keeps the slot from one that is out of patience. */
function turnMs(each: World): number {
  const { runMs, swapMs } = extremes(each);
  return Math.max(each.limits.swapQuantum.ms, 10 * swapMs) + swapMs + runMs;
}

function checkAnswer({ snapshot, decisions }: Asked, { limits }: World): void {
  const starts = decisions.filter(({ kind }) => kind === "start");
  const keys = snapshot.lanes.map(({ key }) => key);
  expect(decisions.map(({ laneKey }) => laneKey).toSorted()).toEqual(keys.toSorted());
  const runnerOf = new Map(snapshot.lanes.map(({ key, runnerKey }) => [key, runnerKey]));
  const after = [
    ...snapshot.running.map(({ runnerKey }) => runnerKey),
    ...starts.map(({ laneKey }) => runnerOf.get(laneKey)),
  ];
  expect(after.length).toBeLessThanOrEqual(limits.slots);
  expect(new Set(after).size).toBeLessThanOrEqual(1);
  if (!snapshot.target.isReachable) expect(starts).toEqual([]);
  else if (snapshot.lanes.length > 0) checkWorkConserved(after, starts.length, snapshot, limits);
}

function checkWorkConserved(
  after: unknown[],
  starts: number,
  { lanes }: Asked["snapshot"],
  { slots }: World["limits"],
): void {
  expect(after.length, "an idle box with work").toBeGreaterThan(0);
  const isOneRunner = new Set([...after, ...lanes.map(({ runnerKey }) => runnerKey)]).size === 1;
  if (isOneRunner && after.length < slots) expect(starts, "a free slot").toBeGreaterThan(0);
}

describe("schedule", () => {
  test("answers for each lane, fills the slots, and never runs two runners", () => {
    always(worldWithAbsences, (each) => {
      const simulation = new Simulation(each, (asked) => checkAnswer(asked, each)).run();

      expect(simulation.starts).toHaveLength(each.jobs.length);
    });
  });

  test("keeps a client within its own slots, and no slot idle that another may take", () => {
    always(worldWithSlots, (each) => {
      const slotsOf = (client: string) => each.slots?.[client] ?? 9;
      const simulation = new Simulation(each, ({ snapshot, decisions }) => {
        const starts = decisions.filter(({ kind }) => kind === "start");
        const clientOf = new Map(snapshot.lanes.map(({ client, key }) => [key, client]));
        const before = snapshot.running.map(({ client }) => client);
        const after = [...before, ...starts.map(({ laneKey }) => clientOf.get(laneKey)!)];
        const has = (client: string) => after.filter((other) => other === client).length;
        for (const client of clients) expect(has(client)).toBeLessThanOrEqual(slotsOf(client));
        const open = snapshot.lanes.filter(({ client }) => has(client) < slotsOf(client));
        const runners = [...snapshot.running, ...open].map(({ runnerKey }) => runnerKey);
        const isOneRunner = new Set(runners).size === 1;
        if (!snapshot.target.isReachable || !isOneRunner || open.length === 0) return;
        if (before.length < each.limits.slots) expect(starts, "a free slot").not.toEqual([]);
      }).run();

      expect(simulation.starts).toHaveLength(each.jobs.length);
    });
  });

  test("gives the same answer to the same question, and changes nothing in it", () => {
    always(world, (each) => {
      new Simulation(each, ({ snapshot, decisions }) => {
        const before = structuredClone(snapshot);
        expect(schedule(snapshot, each.limits)).toEqual(decisions);
        expect(snapshot).toEqual(before);
      }).run(60_000);
    });
  });

  test("keeps the order within a lane", () => {
    always(worldWithAbsences, (each) => {
      const lastOfLane = new Map<string, number>();

      for (const job of new Simulation(each).run().starts) {
        const lane = `${job.class} ${job.runnerKey} ${job.client}`;
        expect(job.arrival).toBeGreaterThan(lastOfLane.get(lane) ?? -1);
        lastOfLane.set(lane, job.arrival);
      }
    });
  });

  test("starts waiting batch work within its floor (bound 1)", () => {
    always(world, (each) => {
      const { runMs, swapMs } = extremes(each);
      const { starts, ms } = each.limits.batchFloor;
      const boundMs = Math.max(ms, runMs + swapMs) + runMs + swapMs;

      new Simulation(each, ({ snapshot: { lanes, sinceBatchStart } }) => {
        if (!lanes.some((lane) => lane.class === "batch")) return;
        expect(sinceBatchStart.interactiveStarts).toBeLessThanOrEqual(starts);
        expect(sinceBatchStart.ms).toBeLessThanOrEqual(boundMs);
      }).run();
    });
  });

  test("lets a person run between two batch starts that people had to wait for", () => {
    always(world, (each) => {
      new Simulation(each, ({ snapshot, decisions }) => {
        const first = decisions[0];
        if (first?.kind !== "start" || snapshot.lastStarted !== "batch") return;
        if (snapshot.lanes.some((lane) => lane.class === "interactive")) {
          expect(first.laneKey).toMatch(/^interactive/);
        }
      }).run();
    });
  });

  test("gives each waiting runner its turn in time (bound 2)", () => {
    always(world, (each) => {
      const { runMs, swapMs } = extremes(each);
      const roundMs = runners.length * (turnMs(each) + swapMs + runMs);
      const boundMs = each.limits.patienceMs.interactive + roundMs;
      const waitsSince = new Map<string, number>();

      new Simulation(each, ({ nowMs, snapshot: { lanes }, decisions }) => {
        const people = lanes.filter((lane) => lane.class === "interactive");
        const waiting = new Set(people.map(({ runnerKey }) => runnerKey));
        for (const key of runners) if (!waiting.has(key)) waitsSince.delete(key);
        for (const key of waiting) if (!waitsSince.has(key)) waitsSince.set(key, nowMs);
        for (const sinceMs of waitsSince.values()) {
          expect(nowMs - sinceMs).toBeLessThanOrEqual(boundMs);
        }
        const starts = new Set(
          decisions.flatMap((each) => (each.kind === "start" ? each.laneKey : [])),
        );
        for (const lane of people) if (starts.has(lane.key)) waitsSince.delete(lane.runnerKey);
      }).run();
    });
  });

  test("starts every job of every class in time (bound 4)", () => {
    always(world, (each) => {
      const { runMs, swapMs, leastMs } = extremes(each);
      const weights = clients.map((client) => each.weights[client] ?? 1);
      const sum = weights.reduce((one, other) => one + other);
      const floorMs = Math.max(each.limits.batchFloor.ms, runMs + swapMs) + runMs + swapMs;
      const visitMs = {
        interactive: turnMs(each) + swapMs + runMs,
        batch: turnMs(each) + floorMs,
      };

      for (const job of new Simulation(each).run().starts) {
        const weight = each.weights[job.client] ?? 1;
        const serviceMs = each.limits.slots * runMs * (sum / weight + 3 * clients.length);
        const visits = (job.aheadInLane + 1) * Math.ceil(serviceMs / leastMs);
        const boundMs = visits * runners.length * visitMs[job.class];
        const waitedMs = job.startMs - job.atMs;
        expect(waitedMs).toBeLessThanOrEqual(each.limits.patienceMs[job.class] + boundMs);
      }
    });
  });
});
