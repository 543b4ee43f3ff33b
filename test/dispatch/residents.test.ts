import { describe, expect, test } from "vitest";
import { Residents } from "../../src/dispatch/residents.ts";
import { joinLoadKey } from "../../src/target/load-key.ts";
import { Runners } from "../../src/target/runners.ts";
import type { PsModel } from "../../src/wire/ollama.ts";
import { aBlueprint, inventoryOf } from "../target/blueprint-scene.ts";

const small = joinLoadKey("d1", "num_ctx=4096");
const large = joinLoadKey("d1", "num_ctx=8192");

function loaded(...digests: string[]): PsModel[] {
  const facts = { size_vram: 0, expires_at: "", context_length: 0 };
  return digests.map((digest) => ({ name: `m-${digest}`, digest, ...facts }));
}

function residentsOf(...digests: string[]): Residents {
  return new Residents(new Runners(inventoryOf(digests)), 9);
}

describe("what is believed to be loaded", () => {
  test("is the runner that answered last, before any poll could show it", () => {
    const residents = residentsOf();

    residents.noteWorking(small, 0);

    expect([...residents.runnerKeys([], 0)]).toEqual([small]);
  });

  test("is no longer that runner once a list asked for after its answer does not show it", () => {
    const residents = residentsOf();

    residents.noteWorking(small, 7);

    expect([...residents.runnerKeys([], 8)]).toEqual([small]);
    expect([...residents.runnerKeys([], 9)]).toEqual([]);
    expect([...residents.runnerKeys(loaded("d1"), 9)]).toEqual([small]);
  });

  test("is, of a model with several runners, the one that ran on it last", () => {
    const residents = residentsOf();
    residents.noteWorking(small, 0);
    residents.noteWorking(large, 0);
    residents.noteWorking("d2", 0);

    expect([...residents.runnerKeys(loaded("d1", "d2"), 0)].sort()).toEqual(["d2", large].sort());
  });

  test("is the plain runner of a model that somebody else had loaded", () => {
    expect([...residentsOf().runnerKeys(loaded("d3"), 0)]).toEqual(["d3"]);
  });

  test("is nothing after the target was away", () => {
    const residents = residentsOf();
    residents.noteWorking(small, 0);

    residents.forget();

    expect([...residents.runnerKeys([], 0)]).toEqual([]);
  });

  test("is one runner for all names of its weights, whichever of them is listed", () => {
    const inventory = inventoryOf(["d1", "d2"]);
    const residents = new Residents(new Runners(inventory), 9);
    inventory.learn("d1", aBlueprint({ weights: "w" }));
    inventory.learn("d2", aBlueprint({ weights: "w" }));

    residents.noteWorking("d1", 0);
    residents.noteWorking(joinLoadKey("d2", "num_ctx=512"), 0);

    expect([...residents.runnerKeys(loaded("d1"), 9)]).toEqual(["w num_ctx=512"]);
  });

  test("is told by what was learned since it ran", () => {
    const inventory = inventoryOf(["d1", "d2"]);
    const residents = new Residents(new Runners(inventory), 9);
    residents.noteWorking(large, 0);
    expect([...residents.runnerKeys(loaded("d2"), 9)]).toEqual(["d2"]);

    inventory.learn("d1", aBlueprint({ weights: "w" }));
    inventory.learn("d2", aBlueprint({ weights: "w" }));

    expect([...residents.runnerKeys(loaded("d2"), 9)]).toEqual(["w num_ctx=8192"]);
  });
});

describe("how long a load takes", () => {
  test("is unknown until the target says so, in at least 50 ms", () => {
    const residents = residentsOf();
    residents.noteLoad(small, null);
    residents.noteLoad(small, 49);
    expect(residents.swapMs.has(small)).toBe(false);

    residents.noteLoad(small, 50);
    expect(residents.swapMs.get(small)).toBe(50);
  });

  test("follows new measurements by steps, each runner for itself", () => {
    const residents = residentsOf();
    residents.noteLoad(small, 60_000);
    residents.noteLoad(large, 4_000);
    for (let i = 0; i < 12; i += 1) residents.noteLoad(small, 2_000);

    expect(residents.swapMs.get(small)).toBeLessThan(4_000);
    expect(residents.swapMs.get(small)).toBeGreaterThan(2_000);
    expect(residents.swapMs.get(large)).toBe(4_000);
  });
});
