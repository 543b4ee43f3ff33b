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
export function buffered(): ReturnType<typeof pino.destination> {
  return pino.destination({
    sync: false,
    minLength: 4_096,
    periodicFlush: 100,
    maxLength: 8 * 2 ** 20,
  });
}

/** syslog(3)'s priority of a line of that level or above. */
const priorities = [
  { level: 60, priority: 2 },
  { level: 50, priority: 3 },
  { level: 40, priority: 4 },
  { level: 30, priority: 6 },
  { level: 0, priority: 7 },
];

/** What pino looks for before it tells a stream the level of what it is about to write. */
const wantsLevel = Symbol.for("pino.metadata");

/**
 * Stdout as the journal reads it: each line begins with its priority (sd-daemon(3)), so that
 * `journalctl -p warning` finds what it should.
 *
 * @param stdout what is written to; foreman's buffered stdout unless a test says otherwise
 */
export function journal(stdout: Flushed = buffered()): DestinationStream {
  return Object.assign(new PriorityLines(stdout), { [wantsLevel]: true });
}

type Flushed = DestinationStream & { flushSync?(): void };

class PriorityLines {
  /** Set by pino. */
  lastLevel = 0;
  readonly #stdout: Flushed;

  constructor(stdout: Flushed) {
    this.#stdout = stdout;
  }

  write(line: string): void {
    const found = priorities.find(({ level }) => this.lastLevel >= level);
    this.#stdout.write(`<${found?.priority ?? 7}>${line}`);
  }

  /** Pino calls it at a fatal line, before the process ends. */
  flushSync(): void {
    this.#stdout.flushSync?.();
  }
}

/** Words that are no log's, such as why foreman does not start, as the journal reads them. */
export function fatalLines(words: string): string {
  return words.replace(/^(?=.)/gm, "<2>");
}
