import { ForemanError } from "../errors.ts";
import type { Log } from "../log.ts";
import { answerError, type Call } from "./call.ts";

/** Tells a client why its request failed. Faults of foreman's own are the log's to explain. */
export function tellError(call: Call, cause: unknown, log: Log): void {
  const isForeseen = cause instanceof ForemanError;
  if (!isForeseen) {
    log.error({ err: cause, path: call.path }, "request failed on an error that nobody foresaw");
  }
  if (call.outgoing.headersSent) {
    // What cannot go on must not pass for the whole.
    if (isForeseen) log.warn({ err: cause, path: call.path }, "answer broken off");
    if (!call.outgoing.writableEnded) call.outgoing.destroy();
    return;
  }
  const words = "internal error; foreman's log has the cause";
  answerError(call, isForeseen ? cause : new ForemanError("internal", words));
}
