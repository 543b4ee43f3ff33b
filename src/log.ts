import { type DestinationStream, type Logger, pino } from "pino";

export type Log = Logger;

/**
 * The daemon's log: one JSON object a line on stdout. Components take a child of it. Bodies,
 * prompts and auth headers are never handed to it; what could carry a secret by mistake is
 * redacted.
 *
 * @param level pino's level name; `silent` for none.
 */
export function createLog(level: string, destination: DestinationStream = buffered()): Log {
  const options = {
    level,
    base: null,
    redact: { paths: ["token", "*.token", "headers", "*.headers", "body", "*.body"], remove: true },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return pino(options, destination);
}

/**
 * Stdout, written in pieces: a write for each line wakes its reader each time, which was a quarter
 * of the work of a short chat. Lines wait for a tenth of a second at most, and for nothing at an
 * exit; a reader that stops reading costs lines, not memory.
 */
function buffered(): DestinationStream {
  return pino.destination({
    sync: false,
    minLength: 4_096,
    periodicFlush: 100,
    maxLength: 8 * 2 ** 20,
  });
}
