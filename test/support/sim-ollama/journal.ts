import { closeSync, openSync, writeSync } from "node:fs";

export type JournalKind =
  | "request"
  | "disconnect"
  | "response-end"
  | "queue-wait"
  | "queue-full"
  | "load-start"
  | "load-end"
  | "evict"
  | "slot-wait"
  | "slot-leak"
  | "generate-start"
  | "token"
  | "generate-end"
  | "embed-start"
  | "embed-end"
  | "fault"
  | "down"
  | "up";

/** What the sim saw or did. Fields that do not belong to the kind are absent. */
export type JournalEvent = {
  readonly seq: number;
  readonly kind: JournalKind;
  /** performance.now() of the sim's process. */
  readonly atMs: number;
  readonly requestId?: string;
  readonly route?: string;
  readonly model?: string;
  readonly runnerKey?: string;
  readonly method?: string;
  readonly path?: string;
  readonly rawHeaders?: readonly string[];
  readonly bodyBytes?: number;
  readonly bodySha256?: string;
  readonly outcome?: "complete" | "cancelled" | "failed";
  readonly statusCode?: number;
  readonly index?: number;
  readonly tokens?: number;
  readonly text?: string;
  readonly reason?: string;
  /** How many generations the runner takes at once. */
  readonly slots?: number;
};

export type JournalEntry = Omit<JournalEvent, "seq" | "atMs">;

export type JournalOptions = {
  /** Every event is also written here as one JSON line, at once, so that a kill -9 loses none. */
  readonly file?: string;
  /** Token events can be left out where millions would come (benchmarks). */
  readonly tokens?: boolean;
  /** Events kept in memory; later ones only count in `droppedCount`. */
  readonly eventsMax?: number;
};

/** An append-only list of events with their order and time. */
export class Journal {
  readonly #events: JournalEvent[] = [];
  readonly #tokens: boolean;
  readonly #eventsMax: number;
  readonly #descriptor: number | null;
  #seq = 0;
  #droppedCount = 0;

  constructor(options: JournalOptions = {}) {
    this.#tokens = options.tokens ?? true;
    this.#eventsMax = options.eventsMax ?? 1_000_000;
    this.#descriptor = options.file === undefined ? null : openSync(options.file, "a", 0o600);
  }

  get events(): readonly JournalEvent[] {
    return this.#events;
  }

  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Whether token events are kept: the caller spares itself the making of them. */
  get keepsTokens(): boolean {
    return this.#tokens;
  }

  record(entry: JournalEntry): void {
    this.#seq += 1;
    const event = { seq: this.#seq, atMs: performance.now(), ...entry };
    if (this.#events.length < this.#eventsMax) this.#events.push(event);
    else this.#droppedCount += 1;
    if (this.#descriptor !== null) writeSync(this.#descriptor, `${JSON.stringify(event)}\n`);
  }

  /** Forgets what was recorded so far; numbering goes on. The file is left as it is. */
  clear(): void {
    this.#events.length = 0;
    this.#droppedCount = 0;
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
  }
}
