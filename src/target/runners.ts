import { effectiveLoad } from "../wire/effective-load.ts";
import type { Inventory } from "./inventory.ts";
import { joinLoadKey, splitLoadKey } from "./load-key.ts";

/** Past this the answers are worked out anew: clients choose the options, and might choose many. */
const keptKeysMax = 10_000;

/**
 * Tells which of the target's runners a load key means. Jobs with equal runner keys follow each
 * other without a reload, and may run at once; jobs with others are never at the target together.
 *
 * A runner key begins with the weights, of which Ollama has one runner at a time, whatever the
 * models' names. Until a model's blueprint is known, its manifest's digest stands for the weights
 * and its options for themselves: then two keys may mean one runner, which costs order, but no key
 * ever means two.
 *
 * Nobody keeps a runner key for long: what it is made of changes with the inventory.
 */
export class Runners {
  readonly #inventory: Inventory;
  readonly #keys = new Map<string, string>();
  #keysOfRevision = -1;

  constructor(inventory: Inventory) {
    this.#inventory = inventory;
  }

  /** Grows whenever a load key may mean another runner than before. */
  get revision(): number {
    return this.#inventory.runnersRevision;
  }

  /** The key of the runner that a load key means now. */
  keyOf(loadKey: string): string {
    if (this.#keysOfRevision !== this.revision || this.#keys.size >= keptKeysMax) {
      this.#keys.clear();
      this.#keysOfRevision = this.revision;
    }
    const known = this.#keys.get(loadKey);
    if (known !== undefined) return known;
    const key = this.#read(loadKey);
    this.#keys.set(loadKey, key);
    return key;
  }

  /**
   * The load key of a job that starts now: bound to the manifest that its model's name means at
   * this moment, so that a model made anew under the name does not pass for the one that runs.
   */
  pin(loadKey: string): string {
    const { model, options } = splitLoadKey(loadKey);
    return joinLoadKey(this.#digestOf(model), options);
  }

  /** The model of a load key by the name that the target lists, for people. */
  modelOf(loadKey: string): string {
    const { model } = splitLoadKey(loadKey);
    const { models } = this.#inventory;
    // In a pinned key a digest stands for the name.
    const listed = () => [...models.values()].find(({ digest }) => digest === model);
    return (this.#inventory.find(model) ?? listed())?.name ?? model;
  }

  /** A model that a runner serves by itself, or else one of the same weights; for people. */
  modelOn(runnerKey: string): string {
    const { models } = this.#inventory;
    const listed = [...models.values()].map(({ digest, name }) => {
      return { digest, name, key: this.keyOf(digest) };
    });
    const weights = weightsOf(runnerKey);
    const model =
      listed.find(({ key }) => key === runnerKey) ??
      // A key of the time before its blueprint was known begins with the manifest's digest.
      listed.find(({ digest, key }) => weightsOf(key) === weights || digest === weights);
    return model?.name ?? weights;
  }

  #read(loadKey: string): string {
    const { model, options } = splitLoadKey(loadKey);
    const digest = this.#digestOf(model);
    const blueprint = this.#inventory.blueprint(digest);
    if (blueprint === null) return joinLoadKey(digest, options);
    const additions = blueprint.additions.map((blob) => `+${blob}`);
    const load = effectiveLoad(options, blueprint);
    return joinLoadKey(blueprint.weights, [...additions, load].filter(Boolean).join(","));
  }

  #digestOf(model: string): string {
    return this.#inventory.find(model)?.digest || model;
  }
}

/** The load options of a runner as they take effect, such as `num_ctx=8192`; "" for none. */
export function optionsOf(runnerKey: string): string {
  const parts = splitLoadKey(runnerKey).options.split(",");
  return parts.filter((part) => !part.startsWith("+")).join(",");
}

/** What Ollama has one runner of at a time. */
export function weightsOf(runnerKey: string): string {
  return splitLoadKey(runnerKey).model;
}
