import {
  type ModelName,
  type ModelSource,
  modelDefaults,
  parseModelName,
  parseModelRef,
} from "../wire/model-ref.ts";

export type { ModelSource } from "../wire/model-ref.ts";

/**
 * The one spelling that two names share exactly when Ollama takes them for the same model:
 * complete, in lower case, without scheme and without source suffix. Null when Ollama refuses the
 * name. For the name in a request; see `canonicalInventoryName` for one in `/api/tags` or
 * `/api/ps`.
 */
export function canonicalModelName(name: string): string | null {
  const ref = parseModelRef(name);
  return ref.kind === "named" ? canonical(ref.name) : null;
}

/**
 * As `canonicalModelName`, for a name that the target listed. There a tag ending in `-cloud` is
 * part of the name: the local stub of a cloud model must not pass for the local model of the same
 * size.
 */
export function canonicalInventoryName(name: string): string | null {
  const parsed = parseModelName(name);
  return parsed === null ? null : canonical(parsed);
}

/**
 * Where a request for `name` runs: `cloud` for `:cloud` and a tag ending in `-cloud`, `local` for
 * `:local`, else, and for what is no valid name, `default`.
 */
export function modelSource(name: string): ModelSource {
  const ref = parseModelRef(name);
  return ref.kind === "named" ? ref.source : "default";
}

/**
 * The name as Ollama lists it: the shortest form, always with its tag, in the case that it was
 * given. Null when Ollama refuses the name.
 */
export function displayModelName(name: string): string | null {
  const ref = parseModelRef(name);
  if (ref.kind !== "named") return null;
  const { host, namespace, model, tag } = ref.name;
  const isHome = host.toLowerCase() === modelDefaults.host;
  if (!isHome) return `${host}/${namespace}/${model}:${tag}`;
  const isLibrary = namespace.toLowerCase() === modelDefaults.namespace;
  return isLibrary ? `${model}:${tag}` : `${namespace}/${model}:${tag}`;
}

function canonical({ host, namespace, model, tag }: ModelName): string {
  return `${host}/${namespace}/${model}:${tag}`.toLowerCase();
}
