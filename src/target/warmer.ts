import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { collect } from "./collect.ts";
import type { Inventory } from "./inventory.ts";
import { canonicalModelName } from "./model-name.ts";
import type { Target } from "./target.ts";

/** A cold load from a slow disk; past this, work is released without that model. */
const warmTimeoutMs = 120_000;

const answerBytesMax = 2 ** 20;

type WarmerOptions = {
  readonly target: Target;
  readonly inventory: Inventory;
  readonly clock: Clock;
  readonly log: Log;
  /** The embedding model that shall always be loaded, or null for none. */
  readonly embedModel: string | null;
  /** Further models that are loaded before work is released. */
  readonly pinnedModels: readonly string[];
};

/** Keeps the embedder resident beside the chat model, and has pinned models loaded in time. */
export class Warmer {
  readonly #options: WarmerOptions;
  readonly #log: Log;
  #isWarned = false;

  constructor(options: WarmerOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "warmer" });
  }

  /**
   * Loads the embedder and the pinned models for good, one after another. Resolves when each is
   * loaded, or cannot be; never rejects.
   */
  async warm(): Promise<void> {
    await this.#warmEmbedder();
    for (const model of this.#options.pinnedModels) {
      const problem = await this.#load("/api/generate", { model, stream: false });
      if (problem === null) this.#log.info({ model }, "pinned model loaded");
      else this.#log.warn({ model, problem }, "pinned model not loaded: its first job will wait");
    }
  }

  async #warmEmbedder(): Promise<void> {
    const { embedModel: model } = this.#options;
    if (model === null) return;
    const problem = await this.#load("/api/embed", { model, input: "warm" });
    if (problem === null) this.#log.info({ model }, "embedder warmed");
    else this.#log.warn({ model, problem }, "embedder not warmed: embeddings will be slow");
  }

  /** Answers what went wrong, in the target's words; null for nothing. */
  async #load(path: string, wanted: Readonly<Record<string, unknown>>): Promise<string | null> {
    const { clock, target } = this.#options;
    const body = Buffer.from(JSON.stringify({ ...wanted, keep_alive: -1 }));
    const answer = await collect(
      target,
      { method: "POST", path, rawHeaders: ["Content-Type", "application/json"], body },
      { bodyBytesMax: answerBytesMax, limit: { clock, ms: warmTimeoutMs } },
    );
    if (answer.kind === "failed") return answer.failure.message;
    if (answer.kind === "too-large") return "an answer past all bounds";
    return answer.head.statusCode === 200 ? null : answer.body.toString("utf8", 0, 500);
  }

  /** The target has a model again that it lacked: if that is the embedder, it is loaded. */
  noteBack(model: string): void {
    const { embedModel } = this.#options;
    if (embedModel === null) return;
    if (canonicalModelName(model) === canonicalModelName(embedModel)) void this.#warmEmbedder();
  }

  /**
   * Called when a generation is under way and the list of loaded models is fresh: if the embedder
   * was evicted by it, the target holds one model at a time, which makes each embedding a swap.
   */
  noteLoadedUnderLoad(): void {
    const { embedModel, inventory } = this.#options;
    if (embedModel === null) return;
    const embedder = inventory.find(embedModel);
    const isEvicted = embedder !== null && !inventory.isLoaded(embedder);
    const hasOneSlot = isEvicted && inventory.loaded.length === 1;
    if (hasOneSlot && !this.#isWarned) {
      this.#log.warn(
        { model: embedModel },
        "the chat model evicted the embedder: set OLLAMA_MAX_LOADED_MODELS=2 on the target",
      );
    }
    this.#isWarned = hasOneSlot;
  }
}
