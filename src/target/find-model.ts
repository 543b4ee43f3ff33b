import type { Clock } from "../clock.ts";
import type { TagsModel } from "../wire/ollama.ts";
import type { Inventory } from "./inventory.ts";
import type { Poller } from "./poller.ts";

type FindDeps = {
  readonly clock: Clock;
  readonly inventory: Inventory;
  readonly poller: Poller;
};

/** A target that takes longer to tell what it has will say itself whether it has the model. */
const askMsMax = 3_000;

/**
 * The target's model of that name, asking the target once more if it is not known. Null: it could
 * not be asked, or did not answer, and will say itself when it is its turn; or the model is
 * required, and will be there when it is its turn.
 */
export async function findModel(
  name: string,
  { clock, inventory, poller }: FindDeps,
): Promise<TagsModel | null | "unknown"> {
  const known = inventory.find(name);
  if (known !== null) return known;
  if (inventory.isMissing(name)) return null;
  // Before its first poll nobody has called it away yet.
  const { awaySinceMs, presence } = poller.state;
  if (presence === "away" && awaySinceMs !== null) return null;
  const { listings } = inventory;
  const enough = new AbortController();
  await Promise.race([poller.refresh(), clock.sleep(askMsMax, enough.signal)]);
  enough.abort();
  const isAsked = inventory.listings > listings;
  return inventory.find(name) ?? (isAsked ? "unknown" : null);
}
