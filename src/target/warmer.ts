import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { collect } from "./collect.ts";
import type { Inventory } from "./inventory.ts";
import { canonicalModelName } from "./model-name.ts";
import type { Target } from "./target.ts";

/** A cold load from a slow disk; past this, work is released without the embedder. */
const warmTimeoutMs = 120_000;

const answerBytesMax = 2 ** 20;

type WarmerOptions = {
  readonly target: Target;
  readonly inventory: Inventory;
  readonly clock: Clock;
  readonly log: Log;
  /** The embedding model that shall always be loaded, or null for none. */
  readonly embedModel: string | null;
};

/** Keeps the embedder resident beside the chat model. */
export class Warmer {
  readonly #options: WarmerOptions;
  readonly #log: Log;
  #isWarned = false;

  constructor(options: WarmerOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "warmer" });
  }

  /** Loads the embedder for good. Resolves when it is loaded, or cannot be; never rejects. */
  async warm(): Promise<void> {
    const { clock, embedModel, target } = this.#options;
    if (embedModel === null) return;
    const body = Buffer.from(JSON.stringify({ model: embedModel, input: "warm", keep_alive: -1 }));
    const timeout = new AbortController();
    const timer = clock.after(warmTimeoutMs, () => timeout.abort());
    const answer = await collect(
      target,
      {
        method: "POST",
        path: "/api/embed",
        rawHeaders: ["Content-Type", "application/json"],
        body,
      },
      { bodyBytesMax: answerBytesMax, signal: timeout.signal },
    );
    timer.cancel();
    if (answer.kind === "answer" && answer.head.statusCode === 200) {
      this.#log.info({ model: embedModel }, "embedder warmed");
      return;
    }
    const problem =
      answer.kind === "answer"
        ? answer.body.toString("utf8", 0, 500)
        : answer.kind === "failed"
          ? answer.failure.message
          : "an answer past all bounds";
    this.#log.warn({ model: embedModel, problem }, "embedder not warmed: embeddings will be slow");
  }

  /** The target has a model again that it lacked: if that is the embedder, it is loaded. */
  noteBack(model: string): void {
    const { embedModel } = this.#options;
    if (embedModel === null) return;
    if (canonicalModelName(model) === canonicalModelName(embedModel)) void this.warm();
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
