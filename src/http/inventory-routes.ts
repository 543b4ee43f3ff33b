import { ForemanError } from "../errors.ts";
import type { Inventory, PolledRoute } from "../target/inventory.ts";
import type { Poller } from "../target/poller.ts";
import { answer, type Call } from "./call.ts";

/**
 * After a pull or a delete the list is read anew; a client waits so long for it, then gets the old.
 */
const freshWithinMs = 2_000;

/** Go knows the length of what fits into its buffer, and chunks the rest (net/http/server.go). */
const goBufferBytes = 2_048;

type InventorySource = { readonly inventory: Inventory; readonly poller: Poller };

/**
 * Answers a polled route with the target's own bytes, the last known while it is away.
 *
 * @throws ForemanError `target_unreachable` if the target has never answered that route
 */
export async function answerFromInventory(
  call: Call,
  route: PolledRoute,
  { inventory, poller }: InventorySource,
): Promise<void> {
  // What is loaded changes untold: a keep_alive runs out, each embedding moves one. Ollama answers
  // this route in 1 ms, and all that ask at the same time share one reading.
  if (route === "/api/ps" && poller.state.presence === "present") void poller.refreshLoaded();
  await poller.caughtUp(route, freshWithinMs);
  const reply = inventory.reply(route);
  if (reply === null) {
    throw new ForemanError(
      "target_unreachable",
      "Ollama has not been reached since foreman started; see /healthz for the cause",
    );
  }
  if (reply.body.length <= goBufferBytes) {
    answer(call, 200, ["Content-Type", reply.contentType], reply.body);
    return;
  }
  const { extraHeaders, outgoing } = call;
  if (outgoing.destroyed) return;
  outgoing.writeHead(200, ["Content-Type", reply.contentType, ...extraHeaders]);
  outgoing.end(reply.body);
}
