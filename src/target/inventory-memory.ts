import { z } from "zod";
import { keepDocument, type Memory, recallDocument } from "../kept-document.ts";
import type { Log } from "../log.ts";
import type { Inventory } from "./inventory.ts";
import { polledRoutes } from "./inventory.ts";

const documentName = "inventory";

const document = z.array(
  z.object({ route: z.enum(polledRoutes), contentType: z.string(), body: z.string() }),
);

/** Brings the inventory of the last life back, so that a box that reboots is known at once. */
export async function recallInventory(
  inventory: Inventory,
  memory: Memory,
  log: Log,
): Promise<void> {
  // It will be polled again; a memory that cannot be read is no reason not to start.
  const replies = await recallDocument(memory, documentName, document, (cause) =>
    log.warn({ err: cause }, "remembered inventory not readable"),
  );
  for (const { body, contentType, route } of replies ?? []) {
    inventory.accept(route, { contentType, body: Buffer.from(body) });
  }
  inventory.forgetLoaded();
}

/**
 * Makes a function that writes the inventory down when it has changed since it was last written;
 * what fails is logged, for the inventory can be polled again.
 */
export function inventoryKeeper(inventory: Inventory, memory: Memory, log: Log): () => void {
  let keptRevision = inventory.revision;
  return () => {
    const { revision } = inventory;
    if (revision === keptRevision) return;
    keptRevision = revision;
    const replies = polledRoutes.flatMap((route) => {
      const reply = inventory.reply(route);
      if (reply === null) return [];
      return { route, contentType: reply.contentType, body: reply.body.toString("utf8") };
    });
    keepDocument(memory, documentName, replies).catch((cause: unknown) => {
      // Tried again with the next poll.
      keptRevision = -1;
      log.warn({ err: cause }, "inventory not written down");
    });
  };
}
