import { goQuote, goTrim } from "./go-text.ts";

/** A name in its four parts, with Ollama's defaults filled in. */
export type ModelName = {
  readonly host: string;
  readonly namespace: string;
  readonly model: string;
  readonly tag: string;
};

/** A name as a client gave it: `cloud` and `local` are suffixes of the request, not of the name. */
export type ModelReference =
  | { readonly kind: "required" }
  | { readonly kind: "conflicting"; readonly message: string }
  | { readonly kind: "invalid" }
  | {
      readonly kind: "named";
      readonly name: ModelName;
      readonly base: string;
      readonly source: "unspecified" | "local" | "cloud";
    };

const missing = "!MISSING!";

/** Parses a name without judging it; see `isValidName` (types/model/name.go of Ollama 0.33). */
export function parseModelName(text: string): ModelName {
  let rest = text;
  let tag = "";
  if (rest.lastIndexOf(":") > rest.lastIndexOf("/")) [rest, tag] = cutLast(rest, ":");
  const parts: string[] = [];
  for (let part = 0; part < 2 && rest.includes("/"); part += 1) {
    const [before, after] = cutLast(rest, "/");
    parts.push(after);
    rest = before;
  }
  const scheme = rest.indexOf("://");
  const last = parts.length === 2 && scheme >= 0 ? rest.slice(scheme + 3) : rest;
  const [model = "", namespace = "", host = ""] = [...parts, last];
  return {
    host: host || "registry.ollama.ai",
    namespace: namespace || "library",
    model,
    tag: tag || "latest",
  };
}

/** Whether every part has the characters and the length that Ollama allows. */
export function isValidName(name: ModelName): boolean {
  const word = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/;
  return (
    /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}$/.test(name.host) &&
    /^[A-Za-z0-9_][A-Za-z0-9_-]{0,79}$/.test(name.namespace) &&
    word.test(name.model) &&
    word.test(name.tag)
  );
}

/** The form that lists show: defaults dropped, the tag always there. */
export function displayName(name: ModelName): string {
  const model = `${name.model}:${name.tag}`;
  if (name.host.toLowerCase() !== "registry.ollama.ai") {
    return `${name.host}/${name.namespace}/${model}`;
  }
  return name.namespace.toLowerCase() === "library" ? model : `${name.namespace}/${model}`;
}

/** The full registry path, as some errors show it. */
export function fullName(name: ModelName): string {
  return `${name.host}/${name.namespace}/${name.model}:${name.tag}`;
}

/** Reads the `model` of a request: source suffix first, then the name (internal/modelref). */
export function readModelReference(raw: string): ModelReference {
  const text = goTrim(raw);
  if (text === "") return { kind: "required" };
  const { base, source } = cutSource(text);
  if (source !== "unspecified" && cutSource(base).source !== "unspecified") {
    const quoted = goQuote(text);
    return { kind: "conflicting", message: `use either :local or :cloud, not both: ${quoted}` };
  }
  const name = parseModelName(base);
  return isValidName(name) ? { kind: "named", name, base, source } : { kind: "invalid" };
}

function cutSource(text: string): { base: string; source: "unspecified" | "local" | "cloud" } {
  const colon = text.lastIndexOf(":");
  if (colon >= 0) {
    const suffix = goTrim(text.slice(colon + 1));
    const lower = suffix.toLowerCase();
    if (lower === "cloud" || lower === "local") {
      return { base: text.slice(0, colon), source: lower };
    }
    if (!suffix.includes("/") && lower.endsWith("-cloud")) {
      return {
        base: text.slice(0, colon + 1) + suffix.slice(0, -"-cloud".length),
        source: "cloud",
      };
    }
  }
  return { base: text, source: "unspecified" };
}

function cutLast(text: string, separator: string): [string, string] {
  const at = text.lastIndexOf(separator);
  return [text.slice(0, at) || missing, text.slice(at + 1) || missing];
}
