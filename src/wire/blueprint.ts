import { canonicalOption, type LoadOption, loadOptionNames } from "./load-options.ts";
import type { ShowReply } from "./ollama.ts";

/** What Ollama makes a model's runner of, as far as it decides whether two models share one. */
export type Blueprint = {
  /** Hex digest of the weights' blob. Ollama never has two runners of the same weights. */
  readonly weights: string;
  /** Hex digests of the adapters and projectors, in their order. */
  readonly additions: readonly string[];
  /** The load-time parameters of the Modelfile, as `canonicalOption` writes them. */
  readonly parameters: ReadonlyMap<LoadOption, string>;
  /** Bounds that Ollama puts on `num_ctx`; null where the model tells none. */
  readonly contextMin: number;
  readonly contextMax: number | null;
  readonly hasDraft: boolean;
  /** What `shift` is when the request does not say. */
  readonly isShifting: boolean;
};

/**
 * Reads a model's blueprint out of what /api/show says of it; null where its weights are no blob of
 * Ollama's, as with safetensors.
 *
 * The blobs stand at the head of the Modelfile alone, before anything that a person wrote: a
 * template or a system prompt may hold a line that reads `FROM`. For the same reason the parameters
 * are read from their own list, where a line break is escaped.
 * Source: Ollama server/images.go (GetModel, Model.String), server/routes.go (GetModelInfo) and
 * server/sched.go; tried on 0.33.0-rc2.
 */
export function readBlueprint(reply: ShowReply): Blueprint | null {
  const parts = partsOf(reply.modelfile);
  const [weights] = parts;
  if (weights?.word !== "FROM" || parts.some(({ blob }) => blob === null)) return null;
  const added = parts.slice(1).filter(({ word }) => word !== "DRAFT");
  const { capabilities, details, model_info: facts } = reply;
  const families = [details?.family, ...(details?.families ?? [])];
  return {
    weights: weights.blob ?? "",
    additions: added.map(({ blob }) => blob ?? ""),
    parameters: loadParameters(reply.parameters ?? ""),
    contextMin: capabilities?.includes("vision") ? visionContextMin : anyContextMin,
    contextMax: trainedContext(facts ?? {}),
    hasDraft: parts.some(({ word }) => word === "DRAFT"),
    isShifting: !families.includes("deepseek2"),
  };
}

const anyContextMin = 4;
const visionContextMin = 2_048;

type Part = { readonly word: string; readonly blob: string | null };

function partsOf(modelfile: string): readonly Part[] {
  const lines = modelfile.split("\n");
  const parts: Part[] = [];
  for (const line of lines.slice(lines.findIndex((each) => each.startsWith("FROM ")))) {
    const [, word, path] = /^(FROM|ADAPTER|DRAFT) (.*)$/.exec(line) ?? [];
    if (word === undefined || path === undefined) break;
    parts.push({ word, blob: /[/\\]sha256[-:]([0-9a-f]{64})$/.exec(path)?.[1] ?? null });
  }
  return parts;
}

/** Lines of a name and a value as Go writes it: `8192`, `1.048576e+06`, `true`, `<nil>`. */
function loadParameters(text: string): ReadonlyMap<LoadOption, string> {
  const parameters = new Map<LoadOption, string>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^(\S+) +(.*)$/.exec(line) ?? [];
    const option = loadOptionNames.find((each) => each === name);
    const canonical = option === undefined ? null : canonicalOption(goValue(value ?? ""));
    if (option !== undefined && canonical !== null) parameters.set(option, canonical);
  }
  return parameters;
}

function goValue(text: string): unknown {
  if (text === "<nil>") return null;
  if (text === "true" || text === "false") return text === "true";
  return /^-?\d/.test(text) ? Number(text) : text;
}

function trainedContext(facts: Readonly<Record<string, unknown>>): number | null {
  const length = facts[`${String(facts["general.architecture"])}.context_length`];
  return typeof length === "number" && length > 0 ? length : null;
}
