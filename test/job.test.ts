import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type JobState, mayBecome, newJobId, transitions } from "../src/job.ts";

const chart = readFileSync(new URL("../docs/state-machine.md", import.meta.url), "utf8");

describe("the states of a job", () => {
  test("are the same in the code and in the chart of docs/state-machine.md", () => {
    const arrows = [...chart.matchAll(/^ {4}(\w+) --> (\w+)/gm)].map(([, from, to]) => [from, to]);

    const inCode = Object.entries(transitions).flatMap(([from, targets]) =>
      targets.map((to) => [from, to]),
    );
    expect(arrows.toSorted()).toEqual(inCode.toSorted());
  });

  test("end for good where the chart ends, and begin in queued alone", () => {
    const ends = [...chart.matchAll(/^ {4}(\w+) --> \[\*\]/gm)].map(([, state]) => state);
    const begins = [...chart.matchAll(/^ {4}\[\*\] --> (\w+)/gm)].map(([, state]) => state);

    const final = Object.keys(transitions).filter(
      (state) => transitions[state as JobState].length === 0,
    );
    expect(ends.toSorted()).toEqual(final.toSorted());
    expect(begins).toEqual(["queued"]);
  });

  test("never leave an end", () => {
    for (const end of ["done", "failed", "cancelled"] as const) {
      for (const state of Object.keys(transitions)) {
        expect(mayBecome(end, state as JobState)).toBe(false);
      }
    }
  });
});

describe("newJobId", () => {
  test("keeps growing when the wall clock steps back", () => {
    const before = newJobId(1_800_000_000_000);
    const after = newJobId(1_700_000_000_000);

    expect(after > before).toBe(true);
    expect(after).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  });
});
