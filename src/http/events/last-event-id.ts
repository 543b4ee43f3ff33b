import { ForemanError } from "../../errors.ts";
import { type Call, queryOf } from "../call.ts";

/**
 * The number in the Last-Event-ID header, which an EventSource sends when it comes back, else in
 * the query's `last_event_id`; 0 for none.
 *
 * @throws ForemanError `bad_request`
 */
export function lastEventIdOf(call: Call): number {
  const text = String(call.incoming.headers["last-event-id"] ?? queryOf(call).last_event_id ?? "");
  if (/^\d{0,15}$/.test(text)) return Number(text);
  throw new ForemanError("bad_request", "Last-Event-ID is the number of one of these events");
}
