import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RequiredModel } from "../models-setting.ts";
import type { Target } from "../target/target.ts";
import type { Artifact } from "../wire/models-file.ts";
import type { Effort } from "./effort.ts";
import { type BucketSettings, fetchArtifact } from "./fetch-artifact.ts";
import type { FileHasher } from "./hash-file.ts";
import { askWithProgress } from "./progress-answer.ts";
import { type Recipe, recipeAt } from "./recipe.ts";
import { register } from "./register.ts";

export type SourceName = "local" | "s3" | "pull";

/** The order in which they are tried: the nearest first. */
export const sourceNames: readonly SourceName[] = ["local", "s3", "pull"];

export type SourceDeps = BucketSettings & {
  readonly target: Target;
  readonly hasher: FileHasher;
  /** Where artifacts are kept, and copies are looked for; null for nowhere. */
  readonly modelCache: string | null;
  /** Whether the target still lacks the model, asked of it anew. */
  readonly isStillMissing: (model: string) => Promise<boolean>;
};

/**
 * Brings a model back from one source. Answers false if that source does not have it.
 *
 * @throws Error that says why it could not
 */
export async function bringFrom(
  source: SourceName,
  model: RequiredModel,
  effort: Effort,
  deps: SourceDeps,
): Promise<boolean> {
  switch (source) {
    case "local":
      return await bringLocal(model, effort, deps);
    case "s3":
      return await bringFromBucket(model, effort, deps);
    case "pull":
      return await pull(model, effort, deps);
    default:
      return source satisfies never;
  }
}

/** From where the models file says, else from the cache. */
async function bringLocal(
  model: RequiredModel,
  effort: Effort,
  deps: SourceDeps,
): Promise<boolean> {
  const named = model.local === null ? null : await recipeAt(model.local);
  if (named !== null) return await registerAll(model, named, effort, deps);
  const folder = cacheFolder(model, deps);
  if (folder === null || !model.artifacts.every((each) => existsSync(pathIn(folder, each)))) {
    return false;
  }
  const cached = (await recipeAt(folder)) ?? (await recipeAt(`${folder}.gguf`));
  return cached !== null && (await registerAll(model, cached, effort, deps));
}

async function bringFromBucket(
  model: RequiredModel,
  effort: Effort,
  deps: SourceDeps,
): Promise<boolean> {
  const folder = cacheFolder(model, deps);
  if (folder === null || model.artifacts.length === 0) return false;
  for (const artifact of model.artifacts) {
    const path = pathIn(folder, artifact);
    const check = (file: string) => checkHash(file, artifact, effort, deps);
    const isThere = existsSync(path) && (await isSound(path, artifact, effort, deps));
    if (!isThere) await fetchArtifact({ artifact, path, check }, effort, deps);
  }
  const recipe = await recipeAt(folder);
  return recipe !== null && (await registerAll(model, recipe, effort, deps));
}

async function pull({ mayPull, name }: RequiredModel, effort: Effort, deps: SourceDeps) {
  if (!mayPull) return false;
  if (!(await deps.isStillMissing(name))) return true;
  const document = { model: name, stream: true };
  await askWithProgress(deps.target, { path: "/api/pull", document, step: "pulling" }, effort);
  return true;
}

async function registerAll(
  { artifacts, name }: RequiredModel,
  recipe: Recipe,
  effort: Effort,
  deps: SourceDeps,
): Promise<true> {
  const folder = cacheFolder({ name }, deps);
  const expected = new Map<string, string>();
  for (const artifact of folder === null ? [] : artifacts) {
    if (folder && artifact.sha256) expected.set(pathIn(folder, artifact), artifact.sha256);
  }
  const isStillMissing = () => deps.isStillMissing(name);
  await register({ model: name, recipe, expected }, effort, { ...deps, isStillMissing });
  return true;
}

/** Without a hash, a file is sound by its name: it had none before it was whole. */
async function isSound(path: string, artifact: Artifact, effort: Effort, deps: SourceDeps) {
  if (artifact.sha256 === null) return true;
  return (await deps.hasher.sha256(path, effort)) === artifact.sha256;
}

async function checkHash(
  path: string,
  { sha256 }: Artifact,
  effort: Effort,
  { hasher }: SourceDeps,
): Promise<void> {
  if (sha256 === null) return;
  const found = await hasher.sha256(path, effort);
  if (found !== sha256) {
    throw new Error(`what came has the sha256 ${found}, and FOREMAN_MODELS_FILE says ${sha256}`);
  }
}

/** A folder for each model: its name, with what no file name has written as `_`. */
function cacheFolder(
  { name }: Pick<RequiredModel, "name">,
  { modelCache }: SourceDeps,
): string | null {
  return modelCache === null ? null : join(modelCache, name.replaceAll(/[/:]/g, "_"));
}

function pathIn(folder: string, { fileName }: Artifact): string {
  return join(folder, fileName);
}
