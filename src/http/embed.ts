import type { LimitFunction } from "p-limit";
import type { Log } from "../log.ts";
import type { Inventory } from "../target/inventory.ts";
import type { Target } from "../target/target.ts";
import { JsonPeek } from "../wire/json-peek.ts";
import { pass } from "./bypass.ts";
import type { Call } from "./call.ts";
import { gather } from "./gather.ts";

export type EmbedDeps = {
  readonly target: Target;
  readonly inventory: Inventory;
  readonly log: Log;
  readonly bodyBytesMax: number;
  /** How many embeddings are at the target at once; the others wait in memory. */
  readonly limit: LimitFunction;
};

/** Sends an embedding straight to the target: never queued, never stored, never behind a chat. */
export async function embed(call: Call, deps: EmbedDeps): Promise<void> {
  const { bodyBytesMax, limit, target } = deps;
  const peek = new JsonPeek({ raw: ["model"], kindOnly: [] });
  const body = await gather(call, {
    bytesMax: bodyBytesMax,
    onPiece: (piece) => peek.write(piece),
  });
  noteEviction(peek, deps);
  await limit(async () => {
    if (!call.outgoing.destroyed) await pass(call, { target, body, isRepeatable: true });
  });
}

/**
 * An embedding model that is not loaded beside a loaded chat model may evict it. It is let through
 * all the same, because to hold it back would make embeddings wait for chats.
 */
function noteEviction(peek: JsonPeek, { inventory, log }: EmbedDeps): void {
  if (inventory.loaded.length === 0) return;
  const result = peek.end();
  const raw = result.kind === "value" ? result.members.at(-1)?.raw : null;
  if (!raw || raw[0] !== quote) return;
  const name = raw.subarray(1, -1).toString("utf8");
  const model = inventory.find(name);
  if (model === null || inventory.isLoaded(model)) return;
  log.warn(
    { model: model.name, loaded: inventory.loaded.map((loaded) => loaded.name) },
    "embedding with a model that is not loaded: it may evict another; see FOREMAN_EMBED_MODEL",
  );
}

const quote = 0x22;
