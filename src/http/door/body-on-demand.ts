import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../clock.ts";

/** A client that sends on after its answer gets so long to read it before the connection goes. */
const lingerMs = 5_000;

/**
 * For a client that waits to be asked for its body (RFC 9110 §10.1.1): asks once somebody reads it,
 * as Go's server does, so that a refusal costs no upload. One that was never asked may or may not
 * send its body, so its connection cannot serve another request.
 */
export function askWhenRead(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { shouldKeepAlive } = outgoing;
  outgoing.shouldKeepAlive = false;
  incoming.once("resume", () => {
    if (outgoing.headersSent) return;
    outgoing.shouldKeepAlive = shouldKeepAlive;
    outgoing.writeContinue();
  });
}

/**
 * For an answer that comes before its request's end: reads the rest of the body away, since to stop
 * reading would leave the client stuck in its sending, and to close at once would reset the
 * connection under the answer. Past `lingerMs` the connection is closed.
 */
export function readRestAway(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  clock: Clock,
): void {
  outgoing.once("finish", () => {
    if (incoming.complete || incoming.destroyed) return;
    const timer = clock.after(lingerMs, () => incoming.socket.destroy());
    incoming.once("close", () => timer.cancel());
    incoming.resume();
  });
}
