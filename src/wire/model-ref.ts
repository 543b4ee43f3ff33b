import { goQuote } from "./go-quote.ts";

/** Where the client wants the model to run: `default` when its name does not say. */
export type ModelSource = "local" | "cloud" | "default";

export type ModelName = {
  readonly host: string;
  readonly namespace: string;
  readonly model: string;
  readonly tag: string;
};

/** What Ollama makes of a `model` member, before it looks for the model. */
export type ModelRef =
  | { readonly kind: "named"; readonly name: ModelName; readonly source: ModelSource }
  | { readonly kind: "missing" }
  | { readonly kind: "invalid"; readonly source: ModelSource }
  | { readonly kind: "conflicting"; readonly message: string };

/** Defaults that a name may leave out. */
const modelDefaults = {
  host: "registry.ollama.ai",
  namespace: "library",
  tag: "latest",
} as const;

// What Go's strings.TrimSpace trims; JavaScript's trim differs by U+0085 and U+FEFF.
const edgeSpaces = /^[\p{White_Space}]+|[\p{White_Space}]+$/gu;
const hostPart = /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}$/;
const namespacePart = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,79}$/;
const modelPart = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/;

/** Stands for a part that a separator announced and that is not there; never valid. */
const missingPart = "!MISSING!";

/**
 * Parses a model reference as Ollama does for its generation routes: source suffix, then the name.
 * Source: Ollama internal/modelref and types/model/name.go; checked against
 * test/fixtures/model-names.jsonl.
 */
export function parseModelRef(raw: string): ModelRef {
  const text = raw.replaceAll(edgeSpaces, "");
  if (text === "") return { kind: "missing" };
  const { base, source } = splitSource(text);
  if (source !== "default" && splitSource(base).source !== "default") {
    const message = `use either :local or :cloud, not both: ${goQuote(text)}`;
    return { kind: "conflicting", message };
  }
  const name = parseModelName(base);
  return name === null ? { kind: "invalid", source } : { kind: "named", name, source };
}

/** Parses a name without a source suffix, as the inventory lists it; null when it is not valid. */
export function parseModelName(text: string): ModelName | null {
  const { name, rest: beforeTag } = cutTag(text);
  const model = cutLast(beforeTag, "/");
  const namespace = model.before === null ? null : cutLast(model.before, "/");
  const host = namespace?.before ?? null;
  const parsed = {
    host: host === null ? modelDefaults.host : withoutScheme(host) || modelDefaults.host,
    namespace: namespace === null ? modelDefaults.namespace : namespace.after,
    model: model.after,
    tag: name,
  };
  return isValid(parsed) ? parsed : null;
}

function isValid(name: ModelName): boolean {
  return (
    hostPart.test(name.host) &&
    namespacePart.test(name.namespace) &&
    modelPart.test(name.model) &&
    modelPart.test(name.tag)
  );
}

function splitSource(text: string): { base: string; source: ModelSource } {
  const colon = text.lastIndexOf(":");
  if (colon < 0) return { base: text, source: "default" };
  const suffix = text.slice(colon + 1).replaceAll(edgeSpaces, "");
  const folded = suffix.toLowerCase();
  if (folded === "cloud" || folded === "local")
    return { base: text.slice(0, colon), source: folded };
  if (!suffix.includes("/") && folded.endsWith("-cloud")) {
    const tag = suffix.slice(0, -"-cloud".length);
    return { base: `${text.slice(0, colon + 1)}${tag}`, source: "cloud" };
  }
  return { base: text, source: "default" };
}

/** A colon before the last slash belongs to the host's port. */
function cutTag(text: string): { rest: string; name: string } {
  const colon = text.lastIndexOf(":");
  if (colon <= text.lastIndexOf("/")) return { rest: text, name: modelDefaults.tag };
  return { rest: text.slice(0, colon) || missingPart, name: text.slice(colon + 1) || missingPart };
}

function cutLast(text: string, separator: string): { before: string | null; after: string } {
  const at = text.lastIndexOf(separator);
  if (at < 0) return { before: null, after: text };
  return { before: text.slice(0, at) || missingPart, after: text.slice(at + 1) || missingPart };
}

function withoutScheme(host: string): string {
  const at = host.indexOf("://");
  return at < 0 ? host : host.slice(at + "://".length);
}
