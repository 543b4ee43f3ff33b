import { describe, expect, test } from "vitest";
import { Turns } from "../../src/dispatch/turns.ts";
import { lane } from "../scheduler/scene.ts";

const person = (runnerKey: string) => ({ class: "interactive", runnerKey }) as const;
const batch = (runnerKey: string) => ({ class: "batch", runnerKey }) as const;

describe("whose turn it was", () => {
  test("is nobody's at first", () => {
    expect(new Turns().facts([], 100)).toMatchObject({
      holders: { interactive: null, batch: null },
      lastStarted: null,
      sinceBatchStart: { interactiveStarts: 0, ms: 0 },
    });
  });

  test("counts a runner's starts in a row and its time since the first of them", () => {
    const turns = new Turns();
    turns.noteStart(person("a"), 100);
    turns.noteStart(person("a"), 300);

    expect(turns.facts([], 1_000).holders.interactive).toEqual({
      runnerKey: "a",
      starts: 2,
      heldMs: 900,
    });

    turns.noteStart(person("b"), 1_100);
    expect(turns.facts([], 1_150).holders.interactive).toEqual({
      runnerKey: "b",
      starts: 1,
      heldMs: 50,
    });
  });

  test("is not interrupted by what the other class starts in between", () => {
    const turns = new Turns();
    turns.noteStart(person("a"), 100);
    turns.noteStart(batch("b"), 200);
    turns.noteStart(person("a"), 300);

    expect(turns.facts([], 300)).toMatchObject({
      holders: { interactive: { runnerKey: "a", starts: 2 }, batch: { runnerKey: "b", starts: 1 } },
      lastStarted: "interactive",
    });
  });
});

describe("how long a runner has gone without", () => {
  test("counts from its last start in that class, while somebody waits for it", () => {
    const turns = new Turns();
    turns.noteStart(person("a"), 100);
    turns.noteStart(batch("a"), 400);
    const lanes = [lane("i a ann"), lane("b a nightly")];

    const { restedMs } = turns.facts(lanes, 1_000);

    expect([...restedMs.interactive]).toEqual([["a", 900]]);
    expect([...restedMs.batch]).toEqual([["a", 600]]);
  });

  test("is forgotten with the last who waits for it, so that the memory is bounded", () => {
    const turns = new Turns();
    for (let i = 0; i < 1_000; i += 1) turns.noteStart(person(`runner ${i}`), i);
    turns.facts([], 1_000);

    const lanes = Array.from({ length: 1_000 }, (_, i) => lane(`i ${i} ann`));
    expect(turns.facts(lanes, 1_000).restedMs.interactive.size).toBe(0);
  });
});

describe("what batch work has waited", () => {
  const waiting = [lane("b a nightly")];

  test("begins when the first item waits, not with the daemon", () => {
    const turns = new Turns();
    for (let i = 0; i < 50; i += 1) turns.noteStart(person("a"), i);

    expect(turns.facts(waiting, 5_000).sinceBatchStart).toEqual({ interactiveStarts: 0, ms: 0 });
    turns.noteStart(person("a"), 5_500);
    expect(turns.facts(waiting, 6_000).sinceBatchStart).toEqual({
      interactiveStarts: 1,
      ms: 1_000,
    });
  });

  test("begins anew with each batch start", () => {
    const turns = new Turns();
    turns.facts(waiting, 0);
    turns.noteStart(person("a"), 1_000);
    turns.noteStart(batch("a"), 2_000);

    expect(turns.facts(waiting, 2_500).sinceBatchStart).toEqual({ interactiveStarts: 0, ms: 500 });
  });

  test("is nothing once no batch work waits", () => {
    const turns = new Turns();
    turns.facts(waiting, 0);
    turns.noteStart(person("a"), 1_000);

    expect(turns.facts([], 2_000).sinceBatchStart).toEqual({ interactiveStarts: 0, ms: 0 });
    expect(turns.facts(waiting, 3_000).sinceBatchStart).toEqual({ interactiveStarts: 0, ms: 0 });
  });
});
