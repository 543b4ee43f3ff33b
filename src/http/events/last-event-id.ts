import { ForemanError } from "../../errors.ts";
import type { Call } from "../call.ts";

/**
 * The number in the Last-Event-ID header, which an EventSource sends when it comes back, else in
 * the query's `last_event_id`; 0 for none.
 *
 * @throws ForemanError `bad_request`
 */
export function lastEventIdOf({ incoming, url }: Call): number {
  const asked = new URL(url, "http://foreman").searchParams.get("last_event_id");
  const text = String(incoming.headers["last-event-id"] ?? asked ?? "");
  if (/^\d{0,15}$/.test(text)) return Number(text);
  throw new ForemanError("bad_request", "Last-Event-ID is the number of one of these events");
}
