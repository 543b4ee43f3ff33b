import { isCapable, type ModelSpec } from "./model-spec.ts";
import { modelfileOf, parametersText } from "./modelfile.ts";
import type { Runner } from "./runner.ts";

type View = Readonly<Record<string, unknown>>;

/** One item of /api/tags. */
export function tagsItem(model: ModelSpec): View {
  const isRemote = model.remoteHost !== "";
  return {
    name: model.name,
    model: model.name,
    ...(isRemote && { remote_model: model.remoteModel, remote_host: model.remoteHost }),
    modified_at: offsetTimestamp(model.modifiedAtMs),
    size: isRemote ? 384 : model.sizeBytes,
    digest: model.digest,
    details: {
      ...details(model, isRemote),
      ...(!isRemote && {
        context_length: model.contextLength,
        embedding_length: model.embeddingLength,
      }),
    },
    capabilities: model.capabilities,
  };
}

/** One item of /api/ps; a runner that was never idle shows when it would expire if it were now. */
export function psItem(runner: Runner): View {
  const { model } = runner;
  const estimateMs = Date.now() + Math.min(runner.keepAliveMs, forEverMs);
  const expiresAtMs = Math.min(runner.expiresAtMs ?? estimateMs, Date.now() + forEverMs);
  return {
    name: model.name,
    model: model.name,
    size: model.sizeBytes,
    digest: model.digest,
    details: details(model, false),
    expires_at: offsetTimestamp(expiresAtMs),
    size_vram: model.sizeBytes,
    context_length: runner.load.numCtx,
  };
}

/** The answer of /api/show; `basename` is what Copilot wants to be told. */
export function showAnswer(model: ModelSpec, basename: string | null): View {
  const isRemote = model.remoteHost !== "";
  const parameters = parametersText(model);
  return {
    license: license.repeat(20),
    modelfile: modelfileOf(model),
    ...(parameters !== "" && { parameters }),
    template: model.template,
    ...(model.system !== "" && { system: model.system }),
    details: details(model, isRemote),
    ...(isRemote && { remote_model: model.remoteModel, remote_host: model.remoteHost }),
    model_info: modelInfo(model, basename),
    ...(!isRemote && { tensors: tensors(model) }),
    capabilities: model.capabilities,
    modified_at: offsetTimestamp(model.modifiedAtMs),
  };
}

/** 292 years: the longest duration of Go, which stands for "for ever". */
const forEverMs = 9_223_372_036_854;

function details(model: ModelSpec, isRemote: boolean): View {
  return {
    parent_model: "",
    format: isRemote ? "" : "gguf",
    family: model.family,
    families: model.families,
    parameter_size: model.parameterSize,
    quantization_level: model.quantization,
  };
}

/** So much of it that the answer is chunked, as a real one always is. */
const license = "This model is simulated: it may be used for any purpose, and serves none.\n";

function tensors(model: ModelSpec): View[] {
  const shape = [model.embeddingLength, model.embeddingLength];
  const names = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"];
  return names.map((name) => ({ name: `blk.0.${name}.weight`, type: "Q4_K", shape }));
}

function modelInfo(model: ModelSpec, basename: string | null): View {
  const { family } = model;
  return {
    "general.architecture": family,
    ...(basename !== null && { "general.basename": basename }),
    "general.parameter_count": Math.round(model.sizeBytes / 0.6),
    [`${family}.context_length`]: model.contextLength,
    [`${family}.embedding_length`]: model.embeddingLength,
    ...(isCapable(model, "embedding") && { [`${family}.pooling_type`]: 1 }),
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.tokens": [],
  };
}

/** Go shows local times with the offset of the machine, and UTC as Z. */
function offsetTimestamp(ms: number): string {
  const offsetMinutes = -new Date(ms).getTimezoneOffset();
  const local = new Date(ms + offsetMinutes * 60_000).toISOString().replace(/\.?0*Z$/, "");
  if (offsetMinutes === 0) return `${local}Z`;
  const sign = offsetMinutes < 0 ? "-" : "+";
  const hours = String(Math.floor(Math.abs(offsetMinutes) / 60)).padStart(2, "0");
  const minutes = String(Math.abs(offsetMinutes) % 60).padStart(2, "0");
  return `${local}${sign}${hours}:${minutes}`;
}
