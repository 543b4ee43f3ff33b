import { describe, expect, test } from "vitest";
import { Accounts } from "../../src/dispatch/accounts.ts";
import type { Job } from "../../src/job.ts";
import { loadKeyOf } from "../../src/target/load-key.ts";
import { Runners } from "../../src/target/runners.ts";
import { aSubmission } from "../queue/submission.ts";
import { aBlueprint, inventoryOf, list } from "../target/blueprint-scene.ts";

function scene() {
  const inventory = inventoryOf([]);
  list(inventory, { base: "d1", alias: "d2" });
  const runners = new Runners(inventory);
  const accounts = new Accounts(runners);
  const joined = (client: string, model: string, more: Partial<Job> = {}): Job => {
    const { job } = aSubmission({ client, loadKey: loadKeyOf(model, ""), ...more });
    accounts.joined(job);
    return job;
  };
  const owedMs = ({ class: jobClass, client, loadKey }: Job) =>
    accounts.deficitMs({ class: jobClass, client, runnerKey: runners.keyOf(loadKey) });
  return { inventory, accounts, joined, owedMs };
}

describe("what clients are owed", () => {
  test("is counted on one runner, whichever of its names they use", () => {
    const { accounts, inventory, joined, owedMs } = scene();
    for (const digest of ["d1", "d2"]) inventory.learn(digest, aBlueprint());
    const ann = joined("ann", "base");
    const bob = joined("bob", "alias");

    accounts.charge(ann, 1_000);

    expect([owedMs(ann), owedMs(bob)]).toEqual([-500, 500]);
  });

  test("is counted for each class alone", () => {
    const { accounts, joined, owedMs } = scene();
    const ann = joined("ann", "base", { class: "batch" });
    const bob = joined("bob", "base");

    accounts.charge(ann, 1_000);

    expect(owedMs(bob)).toBe(0);
  });

  test("begins even where two names turn out to be one runner", () => {
    const { accounts, inventory, joined, owedMs } = scene();
    const ann = joined("ann", "base");
    const bob = joined("bob", "base");
    const eve = joined("eve", "alias");
    accounts.charge(ann, 1_000);
    expect([owedMs(ann), owedMs(eve)]).toEqual([-500, 0]);

    for (const digest of ["d1", "d2"]) inventory.learn(digest, aBlueprint());
    expect([owedMs(ann), owedMs(bob), owedMs(eve)]).toEqual([0, 0, 0]);
    accounts.charge(eve, 900);

    expect([owedMs(ann), owedMs(bob), owedMs(eve)]).toEqual([300, 300, -600]);
  });

  test("is kept where something was learned of another runner", () => {
    const { accounts, inventory, joined, owedMs } = scene();
    const ann = joined("ann", "base");
    joined("bob", "base");
    accounts.charge(ann, 1_000);

    inventory.learn("d2", aBlueprint());

    expect(owedMs(ann)).toBe(-500);
  });

  test("is forgotten with the last job, though its runner was known by another key before", () => {
    const { accounts, inventory, joined, owedMs } = scene();
    const ann = joined("ann", "base");
    const again = joined("ann", "base");
    const bob = joined("bob", "base");
    inventory.learn("d1", aBlueprint());
    accounts.charge(ann, 1_000);

    accounts.left(ann);
    expect(owedMs(again)).toBe(-500);
    accounts.left(again);

    expect(owedMs(again)).toBe(0);
    accounts.left(bob);
    accounts.left(bob);
  });
});
