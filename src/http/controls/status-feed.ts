import type { Clock, Timer } from "../../clock.ts";
import type { Log } from "../../log.ts";
import type { Status } from "../../wire/status.ts";
import { answer, type Call } from "../call.ts";
import type { EventFeed, PassingEvent } from "../events/event-feed.ts";
import { eventStreamHeaders } from "../events/event-stream.ts";
import type { EventStreams } from "../events/event-streams.ts";

/** A document takes some milliseconds with thousands of lanes: one serves all who follow. */
const readEveryMs = 1_000;

type StatusFeedOptions = {
  readonly clock: Clock;
  readonly log: Log;
  readonly readStatus: () => Promise<Status>;
};

/** The status as a feed: read once a second for all who follow it, and never when nobody does. */
export class StatusFeed implements EventFeed {
  readonly #options: StatusFeedOptions;
  readonly #followers = new Set<() => void>();
  #latest: Status | null = null;
  #timer: Timer | null = null;

  constructor(options: StatusFeedOptions) {
    this.#options = options;
  }

  follow(poke: () => void): () => void {
    this.#followers.add(poke);
    if (this.#timer === null) this.#readLater();
    return () => void this.#followers.delete(poke);
  }

  /** Nothing of it is stored. */
  async read() {
    this.#latest ??= await this.#options.readStatus();
    return { events: [], hasMore: false };
  }

  passing(): PassingEvent | null {
    return this.#latest && { type: "status", document: this.#latest };
  }

  #readLater(): void {
    this.#timer = this.#options.clock.after(readEveryMs, () => void this.#readAgain());
  }

  async #readAgain(): Promise<void> {
    if (this.#followers.size === 0) {
      this.#timer = null;
      // What was read is old by the time that somebody comes.
      this.#latest = null;
      return;
    }
    try {
      this.#latest = await this.#options.readStatus();
    } catch (cause) {
      this.#options.log.warn({ err: cause }, "status not read for its event streams");
    }
    for (const poke of this.#followers) poke();
    this.#readLater();
  }
}

/** `GET /foreman/events`: the status at once, and when it has changed, at most once a second. */
export function tellStatusEvents(
  call: Call,
  { eventStreams, statusFeed }: { eventStreams: EventStreams; statusFeed: StatusFeed },
): void {
  if (call.incoming.method === "HEAD") answer(call, 200, eventStreamHeaders, "");
  else eventStreams.open(call, statusFeed, 0);
}
