// Each test is one branch of the numbered tree in schedule()'s doc comment; rule 3 has its own
// file.
import { describe, expect, test } from "vitest";
import { schedule } from "../../src/scheduler/schedule.ts";
import type { Snapshot } from "../../src/scheduler/snapshot.ts";
import { heldBecause, holding, lane, limits, snapshot, started } from "./scene.ts";

describe("rule 1, whether anything may start", () => {
  test("decides nothing about nothing", () => {
    expect(schedule(snapshot([]), limits)).toEqual([]);
  });

  test("holds everything while foreman drains", () => {
    const draining = snapshot([lane("i a ann"), lane("b a bob")], { isDraining: true });

    expect(started(draining)).toEqual([]);
    expect(heldBecause(draining, "b a bob")).toBe("foreman is draining and starts nothing more");
  });

  test("holds everything while the target is away, and says for how long", () => {
    const away = snapshot([lane("i a ann")], { target: { isReachable: false, awayMs: 42_300 } });

    expect(started(away)).toEqual([]);
    expect(heldBecause(away, "i a ann")).toBe("target away 43 s");
  });

  test("says minutes of a long absence", () => {
    const away = snapshot([lane("i a ann")], { target: { isReachable: false, awayMs: 640_000 } });

    expect(heldBecause(away, "i a ann")).toBe("target away 10 min");
  });

  test("holds what is paused and says by whom, as if it were not there for the rest (1b)", () => {
    const pause = { by: "ann", since: "2026-11-24T19:00:00.000Z", note: "a demo at three" };
    const lanes = [
      lane("i a ann", { arrival: 1, waitedMs: 900_000, pause }),
      lane("b b bob", { arrival: 2 }),
      lane("b b eve", { arrival: 3 }),
    ];
    const mixed = snapshot(lanes, holding("b", 500, 900_000));

    expect(started(mixed)).toEqual(["b b bob"]);
    expect(heldBecause(mixed, "b b eve")).toBe("1 ahead, same model");
    expect(heldBecause(mixed, "i a ann")).toBe(
      "paused by ann since 2026-11-24T19:00:00.000Z: a demo at three",
    );
    expect(started(snapshot(lanes.map((each) => ({ ...each, pause }))))).toEqual([]);
  });

  test("says of paused work that it is paused though the target is away, but not in a drain", () => {
    const pause = { by: "ann", since: "2026-11-24T19:00:00.000Z", note: null };
    const lanes = [lane("i a ann", { pause }), lane("i b bob")];
    const away = snapshot(lanes, { target: { isReachable: false, awayMs: 1_000 } });

    expect(heldBecause(away, "i a ann")).toBe("paused by ann since 2026-11-24T19:00:00.000Z");
    expect(heldBecause(away, "i b bob")).toBe("target away 1 s");
    expect(heldBecause(snapshot(lanes, { isDraining: true }), "i a ann")).toMatch(/draining/);
  });

  test("holds when no slot is free, and counts what goes first", () => {
    const lanes = [
      lane("i a ann", { arrival: 3 }),
      lane("i a bob", { arrival: 2 }),
      lane("i a eve", { arrival: 4 }),
    ];
    const busy = snapshot(lanes, {
      running: [{ runnerKey: "a", client: "zoe" }],
      ...holding("a", 1, 500),
    });

    expect(started(busy)).toEqual([]);
    expect(heldBecause(busy, "i a bob")).toBe("1 ahead, same model");
    expect(heldBecause(busy, "i a eve")).toBe("3 ahead, same model");
  });

  test("holds who has its own slots in use, as if it were not there (1d)", () => {
    const lanes = [
      lane("i b ann", { arrival: 1, clientSlots: 1 }),
      lane("i a ann", { arrival: 2, clientSlots: 1 }),
      lane("i a bob", { arrival: 3, clientSlots: 2 }),
    ];
    const busy = snapshot(lanes, { running: [{ runnerKey: "a", client: "ann" }] });
    const free = snapshot(lanes, holding("a", 1, 1));

    expect(started(busy, { slots: 2 })).toEqual(["i a bob"]);
    expect(heldBecause(busy, "i b ann", { slots: 2 })).toBe("ann may run 1 at once, and does");
    expect(heldBecause(busy, "i a ann")).toBe("1 ahead, same model");
    expect(started(free, { slots: 2 })).toEqual(["i a ann"]);
  });
});

describe("rule 2, the class", () => {
  const both = [lane("b a bob", { arrival: 1 }), lane("i a ann", { arrival: 2 })];
  const since = (interactiveStarts: number, ms: number): Partial<Snapshot> => ({
    lastStarted: "interactive",
    sinceBatchStart: { interactiveStarts, ms },
  });

  test("lets people before a batch, though the batch is older", () => {
    expect(started(snapshot(both))).toEqual(["i a ann"]);
  });

  test("lets a batch run when no person waits", () => {
    expect(started(snapshot([lane("b a bob")]))).toEqual(["b a bob"]);
  });

  test("tells a batch how many people it waits for", () => {
    const lanes = [lane("b a bob"), lane("i a ann", { depth: 3 })];

    const reason = heldBecause(
      snapshot(lanes, { running: [{ runnerKey: "a", client: "zoe" }] }),
      "b a bob",
    );

    expect(reason).toBe("batch work waits for 3 interactive requests");
  });

  test("lets a batch start after so many interactive starts (2a)", () => {
    expect(started(snapshot(both, since(19, 0)))).toEqual(["i a ann"]);
    expect(started(snapshot(both, since(20, 0)))).toEqual(["b a bob"]);
  });

  test("lets a batch start after so long (2b)", () => {
    expect(started(snapshot(both, since(1, 59_999)))).toEqual(["i a ann"]);
    expect(started(snapshot(both, since(1, 60_000)))).toEqual(["b a bob"]);
  });

  test("lets a person run between two batch items that are longer than the floor (2b)", () => {
    const afterLongItem = snapshot(both, { ...since(0, 90_000), lastStarted: "batch" });

    expect(started(afterLongItem)).toEqual(["i a ann"]);
  });

  test("forces no batch start where the floor is 0", () => {
    const late = snapshot(both, since(1000, 3_600_000));

    expect(started(late, { batchFloor: { starts: 0, ms: 0 } })).toEqual(["i a ann"]);
    expect(started(late, { batchFloor: { starts: 0, ms: 1 } })).toEqual(["b a bob"]);
    expect(started(late, { batchFloor: { starts: 1, ms: 0 } })).toEqual(["b a bob"]);
  });

  test("counts the starts of its own decision towards the floor", () => {
    const lanes = [...both, lane("i a eve", { arrival: 3 })];

    const starts = started(snapshot(lanes, since(19, 0)), { slots: 3 });

    expect(starts).toEqual(["i a ann", "b a bob", "i a eve"]);
  });

  test("does not slip a batch item in before the second job of a person's lane", () => {
    const lanes = [lane("b a bob"), lane("i a ann", { depth: 2 })];

    expect(started(snapshot(lanes), { slots: 2 })).toEqual(["i a ann"]);
  });
});

describe("rules 4 and 5, the client and the arrival", () => {
  test("lets the client run that is owed most, though it came later (4)", () => {
    const lanes = [
      lane("i a ann", { arrival: 1, deficitMs: -200 }),
      lane("i a bob", { arrival: 2, deficitMs: 200 }),
    ];

    expect(started(snapshot(lanes))).toEqual(["i a bob"]);
  });

  test("lets the oldest arrival run among equals (5)", () => {
    const lanes = [lane("i a ann", { arrival: 7 }), lane("i a bob", { arrival: 3 })];

    expect(started(snapshot(lanes))).toEqual(["i a bob"]);
  });
});

describe("rule 6, several slots", () => {
  test("fills all slots, one start per lane", () => {
    const lanes = [lane("i a ann", { depth: 9 }), lane("i a bob", { arrival: 2 })];

    expect(started(snapshot(lanes), { slots: 4 })).toEqual(["i a ann", "i a bob"]);
  });

  test("starts only the running runner's jobs beside it, loaded or not", () => {
    const lanes = [lane("i b bob"), lane("i c eve", { arrival: 2 })];
    const beside = snapshot(lanes, {
      residents: new Set(["a", "b"]),
      running: [{ runnerKey: "a", client: "zoe" }],
    });

    expect(started(beside, { slots: 4 })).toEqual([]);
    expect(heldBecause(beside, "i c eve", { slots: 4 })).toContain("waits for a model swap");
  });

  test("starts nothing beside the new runner of a swap but its own jobs", () => {
    const lanes = [lane("i a ann"), lane("i b bob", { arrival: 2 })];

    expect(started(snapshot(lanes), { slots: 4 })).toEqual(["i a ann"]);
  });

  test("keeps a slot free for the swap that is due, and says so", () => {
    const lanes = [lane("i a ann", { arrival: 2 }), lane("i b bob", { waitedMs: 9_000 })];
    const due = snapshot(lanes, {
      ...holding("a", 32, 1),
      running: [{ runnerKey: "a", client: "zoe" }],
    });

    expect(started(due, { slots: 2 })).toEqual([]);
    expect(heldBecause(due, "i a ann", { slots: 2 })).toBe("makes way for model b, which is next");
    expect(heldBecause(due, "i b bob", { slots: 2 })).toBe(
      "waits for a model swap: model a is running",
    );
  });
});
