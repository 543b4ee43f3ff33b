import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

/**
 * A request's body as a stream of its own, read at its reader's pace. A target that answers before
 * it has been sent all has undici destroy the body; were that the request itself, its client would
 * be left stuck in the middle of its sending.
 */
export function detachBody(incoming: IncomingMessage): Readable {
  const body = new Readable({ read: () => void incoming.resume() });
  const take = (piece: Buffer) => {
    if (!body.push(piece)) incoming.pause();
  };
  // Not before somebody reads: a client that waits to be asked is asked by that.
  incoming.pause();
  incoming.on("data", take);
  incoming.once("end", () => body.push(null));
  body.once("close", () => incoming.off("data", take));
  return body;
}
