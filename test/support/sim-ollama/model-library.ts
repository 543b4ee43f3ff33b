import { displayName, type ModelName, parseModelName } from "./model-name.ts";
import { completeModel, type ModelInit, type ModelSpec } from "./model-spec.ts";

/** The models and blobs that are on the sim's disk; they survive `restart`. */
export class ModelLibrary {
  readonly #models = new Map<string, ModelSpec>();
  readonly #blobs = new Set<string>();
  #lastMs = 0;

  constructor(inits: readonly ModelInit[]) {
    for (const init of inits) this.add(init);
  }

  /** Newest first, as /api/tags lists them. */
  list(): readonly ModelSpec[] {
    return [...this.#models.values()].sort((a, b) => b.modifiedAtMs - a.modifiedAtMs);
  }

  /** Matching ignores case and fills in the default host, namespace and tag. */
  find(name: ModelName): ModelSpec | null {
    return this.#models.get(keyOf(name)) ?? null;
  }

  findByText(text: string): ModelSpec | null {
    return this.find(parseModelName(text));
  }

  /** The name with each part spelled as a model on disk spells it: Ollama shows unknown names so. */
  canonical(name: ModelName): ModelName {
    const known = [...this.#models.values()].map((model) => parseModelName(model.name));
    const spelled = (part: keyof ModelName) =>
      known.find((each) => each[part].toLowerCase() === name[part].toLowerCase())?.[part] ??
      name[part];
    return {
      host: spelled("host"),
      namespace: spelled("namespace"),
      model: spelled("model"),
      tag: spelled("tag"),
    };
  }

  /** Adds or replaces; the model becomes the newest. */
  add(init: ModelInit): ModelSpec {
    // Distinct times, because the order of the list would otherwise hang on the map's.
    this.#lastMs = Math.max(Date.now(), this.#lastMs + 1);
    const model = completeModel(init, this.#lastMs);
    this.#models.set(keyOf(parseModelName(model.name)), model);
    this.#blobs.add(`sha256:${model.blob}`);
    return model;
  }

  /** The copy shares digest and weights with its source, and so its runner. */
  copy(source: ModelSpec, destination: ModelName): void {
    this.add({ ...source, name: displayName(destination) });
  }

  /** False when there is no such model. */
  remove(name: ModelName): boolean {
    return this.#models.delete(keyOf(name));
  }

  hasBlob(digest: string): boolean {
    return this.#blobs.has(digest.replace("-", ":"));
  }

  addBlob(digest: string): void {
    this.#blobs.add(digest);
  }
}

function keyOf(name: ModelName): string {
  return `${name.host}/${name.namespace}/${name.model}:${name.tag}`.toLowerCase();
}
