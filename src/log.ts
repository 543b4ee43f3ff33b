import { type DestinationStream, type Logger, pino } from "pino";

export type Log = Logger;

/**
 * The daemon's log: one JSON object a line on stdout. Components take a child of it. Bodies,
 * prompts and auth headers are never handed to it; what could carry a secret by mistake is
 * redacted.
 *
 * @param level pino's level name; `silent` for none.
 */
export function createLog(level: string, destination?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    redact: { paths: ["token", "*.token", "headers", "*.headers", "body", "*.body"], remove: true },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return destination ? pino(options, destination) : pino(options);
}
