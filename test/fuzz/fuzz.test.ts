/** A short run of each target, always the same; `npm run fuzz` takes as long as one likes. */
import { describe, expect, test } from "vitest";
import { fuzzTargets } from "./fuzz-targets.ts";
import { fuzz } from "./guided-fuzzer.ts";

const bounds = { runsMax: 500, msMax: 10_000, seed: 20_261_128 };

describe("I4 no bytes break", () => {
  test.each(fuzzTargets.map((target) => [target.name, target] as const))("%s", (_, target) => {
    const { failure, runs } = fuzz(target, bounds);

    expect(failure?.cause, failure?.input.toString("latin1")).toBeUndefined();
    expect(runs).toBe(bounds.runsMax);
  });
});

test("the fuzzer finds a way that chance alone would not, and tells its smallest form", () => {
  const secret = "fox";
  const guarded = {
    name: "guarded",
    seeds: ["x"],
    words: [..."abcdefghijklmnopqrstuvwxyz"],
    run: (input: Buffer) => {
      const text = input.toString("latin1");
      // A block for each letter: that is what guides.
      if (text[0] !== secret[0]) return;
      if (text[1] !== secret[1]) return;
      if (text[2] === secret[2]) throw new Error("it is open");
    },
  };

  const { corpus, failure } = fuzz(guarded, { ...bounds, runsMax: 20_000, msMax: 18_000 });

  expect(failure?.input.toString()).toBe(secret);
  expect(corpus.length).toBeGreaterThan(1);
});
