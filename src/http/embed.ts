import type { LimitFunction } from "p-limit";
import type { Log } from "../log.ts";
import type { Inventory } from "../target/inventory.ts";
import type { Poller } from "../target/poller.ts";
import type { Target } from "../target/target.ts";
import { JsonPeek } from "../wire/json-peek.ts";
import type { TagsModel } from "../wire/ollama.ts";
import { pass } from "./bypass.ts";
import type { Call } from "./call.ts";
import { gather } from "./gather.ts";

export type EmbedDeps = {
  readonly target: Target;
  readonly inventory: Inventory;
  readonly poller: Poller;
  readonly log: Log;
  readonly bodyBytesMax: number;
  /** How many embeddings are at the target at once; the others wait in memory. */
  readonly limit: LimitFunction;
};

/** Sends embeddings straight to the target: never queued, never stored, never behind a chat. */
export function createEmbed(deps: EmbedDeps): (call: Call) => Promise<void> {
  /**
   * Models of which it was said that they may evict another; once is enough until they are loaded.
   */
  const warned = new Set<string>();
  return (call) => embed(call, warned, deps);
}

async function embed(call: Call, warned: Set<string>, deps: EmbedDeps): Promise<void> {
  const { bodyBytesMax, inventory, limit, poller, target } = deps;
  const peek = new JsonPeek({ raw: ["model"], kindOnly: [] });
  const body = await gather(call, {
    bytesMax: bodyBytesMax,
    onPiece: (piece) => peek.write(piece),
  });
  const model = findModel(peek, inventory);
  const isLoaded = model !== null && inventory.isLoaded(model);
  if (model !== null && isLoaded) warned.delete(model.name);
  else if (model !== null) noteEviction(model, warned, deps);
  // The answer means that the model is loaded now, which /api/ps must show from then on.
  const onAnswered = isLoaded ? () => {} : () => void poller.refreshLoaded();
  await limit(async () => {
    if (!call.outgoing.destroyed)
      await pass(call, { target, body, isRepeatable: true, onAnswered });
  });
}

function findModel(peek: JsonPeek, inventory: Inventory): TagsModel | null {
  const result = peek.end();
  const raw = result.kind === "value" ? result.members.at(-1)?.raw : null;
  return raw?.[0] === quote ? inventory.find(raw.subarray(1, -1).toString("utf8")) : null;
}

/**
 * An embedding model that is not loaded beside a loaded chat model may evict it. It is let through
 * all the same, because to hold it back would make embeddings wait for chats.
 */
function noteEviction(model: TagsModel, warned: Set<string>, { inventory, log }: EmbedDeps): void {
  if (inventory.loaded.length === 0 || warned.has(model.name)) return;
  warned.add(model.name);
  log.warn(
    { model: model.name, loaded: inventory.loaded.map((loaded) => loaded.name) },
    "embedding with a model that is not loaded: it may evict another; see FOREMAN_EMBED_MODEL",
  );
}

const quote = 0x22;
