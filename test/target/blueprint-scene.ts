import { Inventory } from "../../src/target/inventory.ts";
import type { Blueprint } from "../../src/wire/blueprint.ts";

/** A plain text model, but for what a test says of it. */
export function aBlueprint(facts: Partial<Blueprint> = {}): Blueprint {
  return {
    weights: "w",
    additions: [],
    parameters: new Map(),
    contextMin: 4,
    contextMax: null,
    hasDraft: false,
    isShifting: true,
    ...facts,
  };
}

/** An inventory that lists a model `m-<digest>` for each digest. */
export function inventoryOf(digests: readonly string[]): Inventory {
  const inventory = new Inventory();
  list(inventory, Object.fromEntries(digests.map((digest) => [`m-${digest}`, digest])));
  return inventory;
}

/** The target lists these models from now on: digests by name. */
export function list(inventory: Inventory, models: Readonly<Record<string, string>>): void {
  const items = Object.entries(models).map(([name, digest]) => ({
    name: `${name}:latest`,
    digest,
  }));
  const body = Buffer.from(JSON.stringify({ models: items }));
  inventory.accept("/api/tags", { contentType: "application/json", body });
}
