import type { JournalOptions } from "./journal.ts";
import { defaultModels, type ModelInit } from "./model-spec.ts";

/** How the sim behaves; all of it has a default that suits a quick test. */
export type SimSettings = {
  /** 0: any free port. */
  readonly port: number;
  readonly version: string;
  readonly models: readonly ModelInit[];
  /** Multiplies every load, token and pull time; keep_alive is not scaled. */
  readonly timeScale: number;
  /** OLLAMA_NUM_PARALLEL, OLLAMA_MAX_LOADED_MODELS, OLLAMA_MAX_QUEUE, OLLAMA_KEEP_ALIVE. */
  readonly numParallel: number;
  readonly maxLoadedModels: number;
  readonly maxQueue: number;
  readonly keepAliveMs: number;
  /** The default `num_ctx`. */
  readonly contextLength: number;
  /** Memory of the simulated GPU, against the models' sizes. */
  readonly vramBytes: number;
  readonly unloadMs: number;
  /** OLLAMA_ORIGINS. */
  readonly origins: readonly string[];
  /** What becomes of a model that runs elsewhere, such as `x:cloud`. */
  readonly cloud: "answers" | "unreachable" | "disabled" | "signed-out";
  /** Models that a pull finds, beside those named in `models`. */
  readonly catalogue: readonly ModelInit[];
  /** A pull's size is the model's; it arrives in so many lines, with a pause before each. */
  readonly pullSteps: number;
  readonly pullStepMs: number;
  /** Ollama's own bugs, off unless asked for. */
  readonly bugs: {
    /** A request's keep_alive undoes a pending eviction: the waiting load starves (issue 17408). */
    readonly keepAliveOverwrite: boolean;
    /**
     * A native streaming request whose body never became whole (a chunked upload without its last
     * chunk, a Content-Length too large) and whose client left keeps the slot until the unload
     * (measured). A slow reader that leaves gives it back.
     */
    readonly slotLeak: boolean;
  };
  readonly journal: JournalOptions;
  /** Serves /_sim/*: for tests in another process. */
  readonly control: boolean;
};

export type SimOptions = Partial<SimSettings>;

/** Fills in the defaults. */
export function completeSettings(options: SimOptions): SimSettings {
  return {
    port: 0,
    version: "0.33.0",
    models: defaultModels,
    timeScale: 1,
    numParallel: 1,
    maxLoadedModels: 3,
    maxQueue: 512,
    keepAliveMs: 300_000,
    contextLength: 4_096,
    vramBytes: 5_800_000_000,
    unloadMs: 0,
    origins: [],
    cloud: "answers",
    catalogue: [],
    pullSteps: 4,
    pullStepMs: 1,
    bugs: { keepAliveOverwrite: false, slotLeak: false },
    journal: {},
    control: false,
    ...options,
  };
}
