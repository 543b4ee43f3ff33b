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
  const all: Record<string, unknown> = { ...model.parameters, ...withoutNulls(requested) };
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
      isCtxAuto: numCtx === null,
      numBatch: integer(all.num_batch),
      numGpu: integer(all.num_gpu),
      mainGpu: integer(all.main_gpu),
      useMmap: typeof all.use_mmap === "boolean" ? all.use_mmap : null,
      numThread: integer(all.num_thread) ?? 0,
      shift: shift ?? model.family !== "deepseek2",
    },
    numPredict: integer(all.num_predict) ?? -1,
    stop: Array.isArray(all.stop) ? all.stop.map(String) : [],
    seed: integer(all.seed) ?? -1,
  };
}

/** Whether a runner that was started with `running` must be started anew for `wanted`. */
export function needsReload(running: LoadOptions, wanted: LoadOptions): boolean {
  const isCtxKept = running.isCtxAuto && wanted.isCtxAuto;
  return (
    running.shift !== wanted.shift ||
    (!isCtxKept && running.numCtx !== wanted.numCtx) ||
    (running.numBatch !== wanted.numBatch && (running.numBatch ?? wanted.numBatch) !== null) ||
    ((wanted.numGpu ?? -1) >= 0 && running.numGpu !== wanted.numGpu) ||
    running.mainGpu !== wanted.mainGpu ||
    (wanted.useMmap !== null && running.useMmap !== wanted.useMmap) ||
    running.numThread !== wanted.numThread
  );
}

/** Identifies weights and load options; for the journal and for tests, not for scheduling. */
export function runnerKeyOf(model: ModelSpec, load: LoadOptions): string {
  const ctx = load.isCtxAuto ? "auto" : String(load.numCtx);
  const rest = [load.numBatch, load.numGpu, load.mainGpu, load.useMmap, load.numThread || null]
    .map((value) => (value === null ? "" : String(value)))
    .join(",");
  return `${model.blob.slice(0, 12)}/ctx=${ctx}/${rest}${load.shift ? "" : "/noshift"}`;
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
