import type { Clock, Timer } from "../../clock.ts";
import { ForemanError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { answer, type Call } from "../call.ts";
import type { EventFeed } from "./event-feed.ts";
import { retryFrame } from "./event-frame.ts";
import { EventStream, eventStreamHeaders } from "./event-stream.ts";

const tickMs = 1_000;

/** A foreman that goes is not back sooner. */
const retryWhileGoingMs = 5_000;

/** When a client that found no place may try again. */
const retryAfterS = 10;

type EventStreamsOptions = {
  readonly clock: Clock;
  readonly log: Log;
  /** How many may be open at once. */
  readonly streamsMax: number;
};

/** All event streams that are open, with the one timer that they share. */
export class EventStreams {
  readonly #options: EventStreamsOptions;
  readonly #open = new Set<EventStream>();
  /** How many of them each client has. */
  readonly #openOf = new Map<string, number>();
  #timer: Timer | null = null;
  #isEnded = false;

  constructor({ clock, log, streamsMax }: EventStreamsOptions) {
    this.#options = { clock, log: log.child({ component: "events" }), streamsMax };
  }

  get openCount(): number {
    return this.#open.size;
  }

  /**
   * Answers the call with the feed's events after number `after` (0: from the first). While foreman
   * goes, with a stream that ends at once and asks to come back: an EventSource gives up for good
   * on any status but 200.
   *
   * @throws ForemanError `events_full` when no place is left; `client_events_full` when this client
   * has half of them, for it must not shut the others out
   */
  open(call: Call, feed: EventFeed, after: number): void {
    const { clock, log } = this.#options;
    if (this.#isEnded) {
      answer(call, 200, eventStreamHeaders, retryFrame(retryWhileGoingMs));
      return;
    }
    this.#refuseMore(call);
    const onOver = () => this.#over(stream, call);
    const stream = new EventStream(call, { feed, after, clock, log, onOver });
    this.#open.add(stream);
    this.#openOf.set(call.client, (this.#openOf.get(call.client) ?? 0) + 1);
    stream.begin();
    if (this.#timer === null) this.#tickLater();
  }

  /** Ends all streams: foreman goes. Idempotent. */
  end(): void {
    this.#isEnded = true;
    for (const stream of this.#open) stream.end();
  }

  #refuseMore({ client }: Call): void {
    const { streamsMax } = this.#options;
    const setting = `FOREMAN_EVENT_STREAMS_MAX (${streamsMax})`;
    if (this.#open.size >= streamsMax) {
      const message = `as many event streams are open as may be: ${setting}; ask later`;
      throw new ForemanError("events_full", message, { retryAfterS });
    }
    const own = this.#openOf.get(client) ?? 0;
    if (own < streamsMax / 2) return;
    const message =
      `${client} has ${own} event streams open, half of ${setting}: close those that are not ` +
      "needed, or follow GET /foreman/events, which tells of all work";
    throw new ForemanError("client_events_full", message, { retryAfterS });
  }

  #over(stream: EventStream, { client }: Call): void {
    this.#open.delete(stream);
    const left = (this.#openOf.get(client) ?? 0) - 1;
    if (left > 0) this.#openOf.set(client, left);
    else this.#openOf.delete(client);
  }

  #tickLater(): void {
    this.#timer = this.#options.clock.after(tickMs, () => {
      for (const stream of this.#open) stream.tick();
      this.#timer = null;
      if (this.#open.size > 0) this.#tickLater();
    });
  }
}
