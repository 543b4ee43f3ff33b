import type { Inventory } from "../target/inventory.ts";

/** Models that have series of their own. Admins may make models without end, under new names. */
const modelsMax = 200;

/**
 * The label of a model: the name that the target lists it by, so that clients, who may write any
 * name, cannot make series. All else is `other`.
 */
export class ModelLabels {
  readonly #inventory: Pick<Inventory, "find">;
  readonly #known = new Set<string>();

  constructor(inventory: Pick<Inventory, "find">) {
    this.#inventory = inventory;
  }

  /** @param model as a client or the target spells it */
  of(model: string): string {
    const name = this.#inventory.find(model)?.name;
    if (name === undefined) return "other";
    if (!this.#known.has(name) && this.#known.size >= modelsMax) return "other";
    this.#known.add(name);
    return name;
  }
}
