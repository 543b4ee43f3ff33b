import { describe, expect, test } from "vitest";
import { forecast } from "../../src/scheduler/forecast.ts";
import type { Pace } from "../../src/scheduler/pace.ts";
import type { ScheduleLimits, Snapshot } from "../../src/scheduler/snapshot.ts";
import { bothHeld, holding, lane, limits, snapshot } from "./scene.ts";

/** A runs for 10 s, b for 1 s. */
const runMs = new Map([
  ["a", 10_000],
  ["b", 1_000],
]);
const loads = {
  swapMs: new Map([
    ["a", 5_000],
    ["b", 2_000],
  ]),
};

type Facts = {
  of: Snapshot;
  running?: Pace["running"];
  within?: Partial<ScheduleLimits>;
  weights?: Readonly<Record<string, number>>;
};

/** The starts foretold for the first `depth` jobs of each lane, in seconds. */
function foretold(facts: Facts): Record<string, (number | null)[]> {
  const { of, running = [], weights = {}, within = {} } = facts;
  const weightOf = ({ client }: { client: string }) => weights[client] ?? 1;
  const running_ = running.map(({ client, runnerKey }) => ({ client, runnerKey }));
  const startsIn = forecast(
    { ...of, running: running_ },
    { ...limits, ...within },
    { runMs, running, weightOf },
  );
  const seconds = (ms: number | null) => ms && ms / 1_000;
  return Object.fromEntries(
    of.lanes.map(({ depth, key }) => [
      key,
      Array.from({ length: Math.min(depth, 4) }, (_, i) => seconds(startsIn(key, i + 1))),
    ]),
  );
}

const runs = (restMs: number | null, runnerKey = "a", client = "zoe") =>
  ({ class: "interactive", runnerKey, client, restMs }) as const;

const resident = holding("a", 1, 0);

describe("when a job starts, as foretold", () => {
  test("counts what is left of the running job, and then one job after another", () => {
    const of = snapshot([lane("i a ann", { depth: 3 })], resident);

    expect(foretold({ of, running: [runs(4_000)] })).toEqual({ "i a ann": [4, 14, 24] });
  });

  test("is at once where a slot is free, and lets several run side by side", () => {
    const of = snapshot([lane("i a ann", { depth: 4 })], resident);

    expect(foretold({ of, running: [runs(4_000)], within: { slots: 2 } })).toEqual({
      "i a ann": [0, 4, 10, 14],
    });
  });

  test("tells nothing of what is paused, and of the rest as if it were not there", () => {
    const pause = { by: "ann", since: "2026-11-24T19:00:00.000Z", note: null };
    const of = snapshot(
      [lane("i b ann", { arrival: 1, waitedMs: 900_000, pause }), lane("b a bob", { arrival: 2 })],
      resident,
    );

    expect(foretold({ of })).toEqual({ "i b ann": [null], "b a bob": [0] });
  });

  test("adds the load where a job before it needs one", () => {
    const of = snapshot([lane("i b ann", { depth: 2 })], { ...resident, ...loads });

    expect(foretold({ of, running: [runs(4_000)] })).toEqual({ "i b ann": [4, 7] });
  });

  test("takes a model that is being loaded for loaded, and the one before it for gone", () => {
    const of = snapshot([lane("i a ann"), lane("i b bob", { depth: 2 })], {
      ...holding("a", 1, 0),
      holders: bothHeld("b", 1, 0),
      ...loads,
    });

    expect(foretold({ of, running: [runs(3_000, "b")] })).toEqual({
      "i b bob": [3, 4],
      "i a ann": [5],
    });
  });

  test("has the other model wait until the turn of the loaded one is over", () => {
    const of = snapshot(
      [lane("i a ann", { depth: 3 }), lane("i b bob", { arrival: 9, waitedMs: 9_000 })],
      { ...resident, ...loads },
    );

    expect(foretold({ of, within: { swapQuantum: { jobs: 32, ms: 15_000 } } })).toEqual({
      "i a ann": [0, 10, 20],
      "i b bob": [30],
    });
    expect(foretold({ of: { ...of, holders: bothHeld("a", 32, 50_000) } })).toEqual({
      "i a ann": [3, 18, 28],
      "i b bob": [0],
    });
  });

  test("lets the clients of one model take turns, and first whoever is owed most", () => {
    const of = snapshot(
      [
        lane("i a ann", { depth: 3, arrival: 1 }),
        lane("i a bob", { depth: 2, arrival: 2, deficitMs: 15_000 }),
      ],
      resident,
    );

    expect(foretold({ of })).toEqual({ "i a ann": [20, 30, 40], "i a bob": [0, 10] });
  });

  test("lets a client go as often as its weight says", () => {
    const of = snapshot(
      [lane("i a ann", { depth: 2, arrival: 1 }), lane("i a bob", { depth: 4, arrival: 2 })],
      resident,
    );

    expect(foretold({ of, weights: { bob: 3 } })).toEqual({
      "i a ann": [0, 40],
      "i a bob": [10, 20, 30, 50],
    });
  });

  test("charges a client for what it runs now", () => {
    const of = snapshot(
      [lane("i a ann", { arrival: 1 }), lane("i a bob", { arrival: 2 })],
      resident,
    );

    expect(foretold({ of, running: [runs(1_000, "a", "ann")] })).toEqual({
      "i a ann": [11],
      "i a bob": [1],
    });
  });

  test("has a client wait for a slot of its own, and lets the others pass it meanwhile", () => {
    const of = snapshot(
      [
        lane("i a ann", { depth: 3, arrival: 1, clientSlots: 1 }),
        lane("i a bob", { depth: 4, arrival: 2 }),
        lane("i a eve", { depth: 1, arrival: 3 }),
      ],
      resident,
    );
    const running = [runs(4_000, "a", "ann"), runs(9_000, "a", "zoe")];

    expect(foretold({ of, running, within: { slots: 3 } })).toEqual({
      "i a ann": [9, 19, 29],
      "i a bob": [0, 10, 14, 20],
      "i a eve": [4],
    });
    const free = { ...of, lanes: of.lanes.map((each) => ({ ...each, clientSlots: 3 })) };
    expect(foretold({ of: free, running, within: { slots: 3 } })["i a ann"]).toEqual([9, 14, 20]);
  });

  test("counts the two lanes of one client as one client's", () => {
    const of = snapshot(
      [
        lane("i a ann", { depth: 2, arrival: 1 }),
        lane("i a ann durable", { depth: 2, arrival: 2 }),
        lane("i a bob", { depth: 2, arrival: 3 }),
      ],
      resident,
    );

    expect(foretold({ of })["i a bob"]).toEqual([20, 30]);
  });

  test("puts people before batch work, but for the batch starts that are due", () => {
    const of = snapshot([lane("b a eve", { depth: 2 }), lane("i a ann", { depth: 4 })], resident);

    expect(foretold({ of, within: { batchFloor: { starts: 2, ms: 0 } } })).toEqual({
      "i a ann": [0, 10, 30, 40],
      "b a eve": [20, 50],
    });
  });

  test("goes on at the same pace beyond what was played through", () => {
    const of = snapshot([lane("b a eve", { depth: 1_000_000 })], resident);
    const startsIn = forecast(of, limits, { runMs, running: [], weightOf: () => 1 });

    expect(startsIn("b a eve", 1_000_000)).toBeCloseTo(999_999 * 10_000, 0);
  });
});

describe("nothing is foretold", () => {
  const lanes = [lane("i a ann", { depth: 2 }), lane("i c bob", { depth: 2, arrival: 5 })];

  test.each<[string, Facts, Record<string, (number | null)[]>]>([
    [
      "while the target is away",
      { of: snapshot(lanes, { target: { isReachable: false, awayMs: 1 } }) },
      { "i a ann": [null, null], "i c bob": [null, null] },
    ],
    [
      "while foreman drains",
      { of: snapshot(lanes, { isDraining: true }) },
      { "i a ann": [null, null], "i c bob": [null, null] },
    ],
    [
      "behind a running job of which nobody knows how long it takes",
      { of: snapshot(lanes, resident), running: [runs(null)] },
      { "i a ann": [null, null], "i c bob": [null, null] },
    ],
    [
      "behind a job of a runner that never ran",
      { of: snapshot(lanes, resident) },
      { "i a ann": [0, 10], "i c bob": [20, null] },
    ],
    [
      "behind a load that was never measured",
      { of: snapshot(lanes.slice(0, 1)) },
      { "i a ann": [0, null] },
    ],
  ])("%s", (_, facts, expected) => {
    expect(foretold(facts)).toEqual(expected);
  });

  test("of a lane that does not wait, and beyond a lane's end", () => {
    const startsIn = forecast(snapshot(lanes, resident), limits, {
      runMs,
      running: [],
      weightOf: () => 1,
    });

    expect(startsIn("i a eve", 1)).toBeNull();
    expect(startsIn("i a ann", 3)).toBeNull();
  });
});
