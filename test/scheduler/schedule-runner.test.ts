import { describe, expect, test } from "vitest";
import { schedule } from "../../src/scheduler/schedule.ts";
import { bothHeld, heldBecause, holding, lane, limits, snapshot, started } from "./scene.ts";

describe("rule 3, the runner", () => {
  const rivals = (waitedMs: number) => [
    lane("i a ann", { arrival: 2 }),
    lane("i b bob", { arrival: 1, waitedMs }),
  ];

  test("stays with the holder while its quantum lasts, whoever waits (3a)", () => {
    expect(started(snapshot(rivals(60_000), holding("a", 31, 119_999)))).toEqual(["i a ann"]);
  });

  test("stays with the holder while the others are patient, its quantum spent or not (3a)", () => {
    expect(started(snapshot(rivals(4_999), holding("a", 500, 900_000)))).toEqual(["i a ann"]);
  });

  test.each([
    ["its jobs", 32, 1_000],
    ["its time", 1, 120_000],
  ])("leaves the holder that has had %s for a head out of patience (3a)", (_, starts, heldMs) => {
    expect(started(snapshot(rivals(5_000), holding("a", starts, heldMs)))).toEqual(["i b bob"]);
  });

  test("keeps a runner for ten times its load, both halves of the quantum stretched (3a)", () => {
    const swapMs = new Map([["a", 20_000]]);
    const held = (heldMs: number) => ({ ...holding("a", 99, heldMs), swapMs });

    expect(started(snapshot(rivals(60_000), held(199_999)))).toEqual(["i a ann"]);
    expect(started(snapshot(rivals(60_000), held(200_000)))).toEqual(["i b bob"]);
  });

  test("measures patience by class (3a)", () => {
    const lanes = [lane("b a ann"), lane("b b bob", { waitedMs: 299_999 })];
    const later = [lane("b a ann"), lane("b b bob", { waitedMs: 300_000 })];

    expect(started(snapshot(lanes, holding("a", 99, 1)))).toEqual(["b a ann"]);
    expect(started(snapshot(later, holding("a", 99, 1)))).toEqual(["b b bob"]);
  });

  test("goes from an idle holder to a loaded runner before an older head (3b)", () => {
    const lanes = [lane("i b bob", { waitedMs: 4_000 }), lane("i c eve", { arrival: 9 })];
    const residents = new Set(["a", "c"]);

    const decisions = schedule(snapshot(lanes, { ...holding("a", 1, 1), residents }), limits);

    expect(decisions[0]).toMatchObject({ kind: "start", laneKey: "i c eve", isSwap: false });
  });

  test("goes from an idle holder to the oldest head once it is out of patience (3c)", () => {
    const lanes = [lane("i b bob", { waitedMs: 5_000 }), lane("i c eve", { arrival: 9 })];
    const residents = new Set(["a", "c"]);

    const decisions = schedule(snapshot(lanes, { ...holding("a", 1, 1), residents }), limits);

    expect(decisions[0]).toMatchObject({ kind: "start", laneKey: "i b bob", isSwap: true });
  });

  test("opens no turn for people with a batch start (3a)", () => {
    const afterBatch = snapshot(rivals(60_000), {
      residents: new Set(["a"]),
      holders: { interactive: null, batch: { runnerKey: "a", starts: 1, heldMs: 1 } },
      lastStarted: "batch",
    });

    expect(started(afterBatch)).toEqual(["i b bob"]);
  });

  test("treats a holder that was unloaded like any other runner (3c)", () => {
    const unloaded = { holders: bothHeld("a", 1, 400_000) };

    expect(started(snapshot(rivals(1), unloaded))).toEqual(["i b bob"]);
  });

  test("counts a runner's wait from its last turn, not from its oldest head alone (3c)", () => {
    const lanes = [
      lane("i a ann", { arrival: 1, waitedMs: 90_000 }),
      lane("i c eve", { arrival: 2, waitedMs: 30_000 }),
      lane("i b bob", { arrival: 3 }),
    ];
    const restedMs = { interactive: new Map([["a", 10_000]]), batch: new Map() };

    const starts = started(snapshot(lanes, { ...holding("b", 32, 120_000), restedMs }));

    expect(starts).toEqual(["i c eve"]);
  });

  test("takes the older head of two that have gone without for equally long (3c)", () => {
    const lanes = [lane("i a ann", { arrival: 2 }), lane("i b bob", { arrival: 1 })];

    expect(started(snapshot(lanes))).toEqual(["i b bob"]);
  });

  test("tells a head for which model it waits and for how long at most", () => {
    const swapMs = new Map([["a", 20_000]]);
    const busy = snapshot(rivals(6_000), {
      ...holding("a", 40, 188_000),
      swapMs,
      running: [{ runnerKey: "a", client: "zoe" }],
    });

    const reason = heldBecause(busy, "i b bob");

    expect(reason).toBe(
      "waits for a model swap: model a is running and may keep its turn for 12 s",
    );
  });

  test("tells a head of a loaded model that it waits for its turn, not for a swap", () => {
    const busy = snapshot(rivals(6_000), {
      holders: bothHeld("a", 40, 1),
      residents: new Set(["a", "b"]),
      running: [{ runnerKey: "a", client: "zoe" }],
    });

    expect(heldBecause(busy, "i b bob")).toBe("waits for its model's turn: model a is running");
  });
});
