import { canonicalModelName } from "./model-name.ts";

const separator = " ";

/**
 * What a request asks of a runner, in its client's words: a model's name and load-time options.
 * Written into the job's row; which runner it means is for `Runners` to say, and may change while
 * the job waits.
 *
 * @param name as the client spelled it
 * @param options as `canonicalLoadOptions` writes them
 */
export function loadKeyOf(name: string, options: string): string {
  // A name that Ollama refuses may hold anything; it stands for itself.
  return joinLoadKey(canonicalModelName(name) ?? encodeURIComponent(name), options);
}

export function joinLoadKey(model: string, options: string): string {
  return options === "" ? model : `${model}${separator}${options}`;
}

/** `model` is a canonical name; in a pinned key, and in rows of older versions, a digest. */
export function splitLoadKey(loadKey: string): {
  readonly model: string;
  readonly options: string;
} {
  const [model = "", options = ""] = loadKey.split(separator);
  return { model, options };
}
