import { createLog, type Log } from "../../src/log.ts";

export type LogLine = { readonly level: number; readonly msg: string } & Record<string, unknown>;

/** A log of everything, and what was written to it, parsed. */
export function logLines(level = "trace"): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const log = createLog(level, { write: (line) => void lines.push(JSON.parse(line) as LogLine) });
  return { log, lines };
}
