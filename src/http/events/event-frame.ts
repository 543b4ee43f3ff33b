import type { PassingEvent } from "./event-feed.ts";

/**
 * An event as it goes over the wire (WHATWG HTML §9.2): JSON has no line break, so its data is one
 * line. `id` null: a client that comes back does not go on after it.
 */
export function eventFrame({ document, type }: PassingEvent, id: number | null): string {
  const idLine = id === null ? "" : `id: ${id}\n`;
  return `${idLine}event: ${type}\ndata: ${JSON.stringify(document)}\n\n`;
}

/** Tells the client how long to wait before it comes back after its connection broke. */
export function retryFrame(ms: number): string {
  return `retry: ${ms}\n\n`;
}

/** A comment, which parsers pass over. The word ping would end a stream of some old clients. */
export const keepAliveFrame = ": keep-alive\n\n";
