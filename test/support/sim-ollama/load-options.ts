import type { ModelSpec } from "./model-spec.ts";

/** What a runner is started with: a difference in any of these reloads the model. */
export type LoadOptions = {
  readonly numCtx: number;
  /** Nobody chose the context, so it may keep whatever the runner has. */
  readonly isCtxAuto: boolean;
  readonly numBatch: number | null;
  readonly numGpu: number | null;
  readonly mainGpu: number | null;
  readonly useMmap: boolean | null;
  readonly numThread: number;
  readonly draftNumPredict: number;
  readonly shift: boolean;
};

/** The options of one request: those of the Modelfile, overlaid with the client's. */
export type RunOptions =
  | {
      readonly kind: "options";
      readonly load: LoadOptions;
      /** -1 and 0: as many as the model likes. */
      readonly numPredict: number;
      readonly stop: readonly string[];
      readonly seed: number;
    }
  | { readonly kind: "error"; readonly message: string };

const types: Readonly<Record<string, "integer" | "boolean" | "float32" | "array">> = {
  num_ctx: "integer",
  num_batch: "integer",
  num_gpu: "integer",
  main_gpu: "integer",
  use_mmap: "boolean",
  num_thread: "integer",
  draft_num_predict: "integer",
  num_keep: "integer",
  seed: "integer",
  num_predict: "integer",
  top_k: "integer",
  repeat_last_n: "integer",
  top_p: "float32",
  min_p: "float32",
  typical_p: "float32",
  temperature: "float32",
  repeat_penalty: "float32",
  presence_penalty: "float32",
  frequency_penalty: "float32",
  stop: "array",
};

/**
 * Reads `options` as Ollama does: unknown names pass, a wrong type is an error in its words, and
 * the context is cut to what the model was trained for (api.Options.FromMap, scheduler).
 */
export function readRunOptions(
  model: ModelSpec,
  requested: Readonly<Record<string, unknown>>,
  defaultCtx: number,
  shift: boolean | null,
): RunOptions {
  const all = { ...withoutNulls(model.parameters), ...withoutNulls(requested) };
  // A null changes no value, but counts as having chosen one.
  const isSet = (name: string) => name in model.parameters || name in requested;
  for (const [name, value] of Object.entries(all)) {
    const message = complaint(name, value);
    if (message !== null) return { kind: "error", message };
  }
  const numCtx = integer(all.num_ctx);
  const least = model.capabilities.includes("vision") ? 2_048 : 4;
  return {
    kind: "options",
    load: {
      numCtx: Math.min(Math.max(numCtx ?? defaultCtx, least), model.contextLength),
      isCtxAuto: !isSet("num_ctx"),
      numBatch: integer(all.num_batch) ?? (isSet("num_batch") ? defaultBatch : null),
      numGpu: integer(all.num_gpu),
      mainGpu: integer(all.main_gpu),
      useMmap: typeof all.use_mmap === "boolean" ? all.use_mmap : null,
      numThread: integer(all.num_thread) ?? 0,
      draftNumPredict:
        integer(all.draft_num_predict) ??
        (isSet("draft_num_predict") || model.draft !== "" ? defaultDrafts : 0),
      shift: shift ?? !familiesOf(model).includes("deepseek2"),
    },
    numPredict: integer(all.num_predict) ?? -1,
    stop: Array.isArray(all.stop) ? all.stop.map(String) : [],
    seed: integer(all.seed) ?? -1,
  };
}

const defaultBatch = 512;
const defaultDrafts = 4;

/** What a runner is started with: the model for its blobs. */
type Start = { readonly model: ModelSpec; readonly load: LoadOptions };

/**
 * Whether a runner of the same weights that was started with `running` must be started anew for
 * `wanted` (needsReload).
 */
export function needsReload(running: Start, wanted: Start): boolean {
  const [had, wants] = [running.load, wanted.load];
  const isCtxKept = had.isCtxAuto && wants.isCtxAuto;
  return (
    additionsOf(running.model) !== additionsOf(wanted.model) ||
    had.shift !== wants.shift ||
    (!isCtxKept && had.numCtx !== wants.numCtx) ||
    had.numBatch !== wants.numBatch ||
    // A request without a wish takes what is there, however it was started.
    ((wants.numGpu ?? -1) >= 0 && had.numGpu !== wants.numGpu) ||
    had.mainGpu !== wants.mainGpu ||
    had.useMmap !== wants.useMmap ||
    had.numThread !== wants.numThread ||
    had.draftNumPredict !== wants.draftNumPredict
  );
}

/** The draft model is not looked at: only how many tokens it drafts (measured). */
function additionsOf({ adapters, projectors }: ModelSpec): string {
  return `${adapters.join()}/${projectors.join()}`;
}

function familiesOf({ families, family }: ModelSpec): readonly string[] {
  return [family, ...(families ?? [])];
}

/** Identifies weights and load options; for the journal and for tests, not for scheduling. */
export function runnerKeyOf(model: ModelSpec, load: LoadOptions): string {
  const ctx = load.isCtxAuto ? "auto" : String(load.numCtx);
  const { draftNumPredict, mainGpu, numBatch, numGpu, numThread, useMmap } = load;
  const rest = [numBatch, numGpu, mainGpu, useMmap, numThread || null, draftNumPredict || null]
    .map((value) => (value === null ? "" : String(value)))
    .join(",");
  const blobs = [model.blob, ...model.adapters, ...model.projectors];
  const names = blobs.map((blob) => blob.slice(0, 12)).join("+");
  return `${names}/ctx=${ctx}/${rest}${load.shift ? "" : "/noshift"}`;
}

function complaint(name: string, value: unknown): string | null {
  const quoted = JSON.stringify(name);
  const type = types[name];
  if (type === undefined) return null;
  switch (type) {
    case "integer":
      return typeof value === "number" ? null : `option ${quoted} must be of type integer`;
    case "boolean":
      return typeof value === "boolean" ? null : `option ${quoted} must be of type boolean`;
    case "float32":
      return typeof value === "number" ? null : `option ${quoted} must be of type float32`;
    case "array":
      if (!Array.isArray(value)) return `option ${quoted} must be of type array`;
      return value.every((item) => typeof item === "string")
        ? null
        : `option ${quoted} must be of an array of strings`;
  }
}

function withoutNulls(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null));
}

function integer(value: unknown): number | null {
  return typeof value === "number" ? Math.trunc(value) : null;
}
