import { readFileSync } from "node:fs";
import { z } from "zod";
import { parseModelRef } from "./wire/model-ref.ts";
import { type Artifact, type ModelSources, modelsFile } from "./wire/models-file.ts";

/** A model that the target shall always have, and where it can be had from. */
export type RequiredModel = {
  /** As the operator spelled it. */
  readonly name: string;
  /** A GGUF file, or a folder with a Modelfile; null for none. */
  readonly local: string | null;
  /** Objects that together make the model; empty for none. */
  readonly artifacts: readonly Artifact[];
  readonly mayPull: boolean;
};

type ModelSettings = {
  readonly FOREMAN_REQUIRED_MODELS: readonly string[];
  readonly FOREMAN_MODELS_FILE?: string | undefined;
  readonly FOREMAN_MODEL_CACHE?: string | undefined;
};

type Issues = { addIssue(message: string): void };

/**
 * The models that are required, each with its sources, and those that are pinned. What is wrong
 * goes to `context`.
 */
export function modelsFrom(
  settings: ModelSettings,
  context: Issues,
): { readonly requiredModels: readonly RequiredModel[]; readonly pinnedModels: readonly string[] } {
  const { FOREMAN_REQUIRED_MODELS: names, FOREMAN_MODEL_CACHE: cache } = settings;
  for (const name of names) {
    const ref = parseModelRef(name);
    if (ref.kind === "named" && ref.source !== "cloud") continue;
    context.addIssue(`FOREMAN_REQUIRED_MODELS: "${name}" is no name of a model on the target`);
  }
  const described = readModelsFile(settings.FOREMAN_MODELS_FILE, context);
  const requiredModels = names.map((name) => requiredModel(name, described[name]));
  if (cache === undefined && requiredModels.some(({ artifacts }) => artifacts.length > 0)) {
    context.addIssue(
      "FOREMAN_MODELS_FILE: it names artifacts in S3, but FOREMAN_MODEL_CACHE, the folder that " +
        "they are fetched into, is not set",
    );
  }
  for (const { local, artifacts, mayPull, name } of requiredModels) {
    if (local !== null || artifacts.length > 0 || mayPull || cache !== undefined) continue;
    context.addIssue(`FOREMAN_MODELS_FILE: nothing is said of where "${name}" can be had from`);
  }
  const pinnedModels = Object.keys(described).filter((name) => described[name]?.pinned);
  return { requiredModels, pinnedModels };
}

function requiredModel(name: string, sources: ModelSources | undefined): RequiredModel {
  return {
    name,
    local: sources?.local ?? null,
    artifacts: sources?.s3 ?? [],
    mayPull: sources?.pull ?? true,
  };
}

function readModelsFile(
  file: string | undefined,
  context: Issues,
): Readonly<Record<string, ModelSources>> {
  if (file === undefined) return {};
  try {
    const parsed = modelsFile.safeParse(JSON.parse(readFileSync(file, "utf8")));
    if (parsed.success) return parsed.data.models;
    context.addIssue(`FOREMAN_MODELS_FILE: ${file}: ${z.prettifyError(parsed.error)}`);
  } catch (cause) {
    context.addIssue(`FOREMAN_MODELS_FILE: cannot read ${file} (${String(cause)})`);
  }
  return {};
}
