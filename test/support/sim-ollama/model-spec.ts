import { createHash } from "node:crypto";

export type Capability =
  | "completion"
  | "embedding"
  | "tools"
  | "thinking"
  | "insert"
  | "vision"
  | "audio";

/** A model as the sim holds it. Times are real milliseconds before the sim's `timeScale`. */
export type ModelSpec = {
  /** Display form, tag included. */
  readonly name: string;
  /** Of the manifest: 64 hex digits, without `sha256:`. */
  readonly digest: string;
  /** Of the weights. Models with the same one share a runner, whatever their names. */
  readonly blob: string;
  /** Blobs that are loaded beside the weights; with others the runner is another. */
  readonly adapters: readonly string[];
  readonly projectors: readonly string[];
  /** The blob of a smaller model that drafts for it; empty for none. */
  readonly draft: string;
  /** On disk, and what the model takes of `vramBytes` when it is loaded. */
  readonly sizeBytes: number;
  readonly loadMs: number;
  /** Pause before each token; for an embedding model, before each embedding. */
  readonly tokenMs: number;
  /** How many tokens an answer has unless the request limits it. */
  readonly tokens: number;
  /** What the model was trained for; larger `num_ctx` are cut down to it. */
  readonly contextLength: number;
  readonly embeddingLength: number;
  readonly capabilities: readonly Capability[];
  readonly family: string;
  readonly families: readonly string[] | null;
  readonly parameterSize: string;
  readonly quantization: string;
  /** Options from the Modelfile, such as `num_ctx`. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly system: string;
  readonly template: string;
  /** Set together: the model is a stub for one that runs elsewhere, and never takes a runner. */
  readonly remoteHost: string;
  readonly remoteModel: string;
  readonly modifiedAtMs: number;
};

/** A model to put into the sim: only the name is needed. */
export type ModelInit = Partial<ModelSpec> & { readonly name: string };

const trainedFor = 131_072;

/** Fills in what an `init` leaves open; digests are made from the name, so they are repeatable. */
export function completeModel(init: ModelInit, modifiedAtMs: number): ModelSpec {
  const family = init.family ?? "llama";
  const name = init.name.includes(":") ? init.name : `${init.name}:latest`;
  return {
    blob: hexDigest(`blob ${name}`),
    adapters: [],
    projectors: [],
    draft: "",
    sizeBytes: 2_000_000_000,
    loadMs: 20,
    tokenMs: 1,
    tokens: 12,
    contextLength: trainedFor,
    embeddingLength: 3_072,
    capabilities: ["completion"],
    families: [family],
    parameterSize: "3.2B",
    quantization: "Q4_K_M",
    parameters: {},
    system: "",
    template: "{{ .Prompt }}",
    remoteHost: "",
    remoteModel: "",
    ...init,
    modifiedAtMs,
    name,
    family,
    digest: init.digest ?? hexDigest(`manifest ${name}`),
  };
}

/** Whether the model can do it; an embedding model says so and lacks `completion`. */
export function isCapable(model: ModelSpec, capability: Capability): boolean {
  return model.capabilities.includes(capability);
}

/**
 * Three chat models of which any one fits beside the embedding model and no two fit together
 * (with the default `vramBytes`), so that an alternation of models shows as swaps.
 */
export const defaultModels: readonly ModelInit[] = [
  {
    name: "llama3.2:latest",
    sizeBytes: 2_019_393_189,
    capabilities: ["completion", "tools"],
    embeddingLength: 3_072,
  },
  {
    name: "qwen3:8b",
    sizeBytes: 5_200_000_000,
    family: "qwen3",
    parameterSize: "8.2B",
    contextLength: 40_960,
    embeddingLength: 4_096,
    capabilities: ["completion", "tools", "thinking"],
  },
  {
    name: "gemma3:4b",
    sizeBytes: 3_338_801_804,
    family: "gemma3",
    parameterSize: "4.3B",
    embeddingLength: 2_560,
    capabilities: ["completion", "vision"],
  },
  {
    name: "nomic-embed-text:latest",
    sizeBytes: 274_302_450,
    family: "nomic-bert",
    parameterSize: "137M",
    quantization: "F16",
    contextLength: 2_048,
    embeddingLength: 768,
    loadMs: 5,
    tokenMs: 0,
    capabilities: ["embedding"],
  },
];

/** 64 hex digits that are the same for the same seed. */
export function hexDigest(seed: string): string {
  return createHash("sha256").update(seed).digest("hex");
}
