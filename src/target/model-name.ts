import { type ModelName, parseModelName, parseModelRef } from "../wire/model-ref.ts";

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

function canonical({ host, namespace, model, tag }: ModelName): string {
  return `${host}/${namespace}/${model}:${tag}`.toLowerCase();
}
