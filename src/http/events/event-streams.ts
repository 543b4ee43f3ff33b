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
   * @throws ForemanError `events_full`
   */
  open(call: Call, feed: EventFeed, after: number): void {
    const { clock, log, streamsMax } = this.#options;
    if (this.#isEnded) {
      answer(call, 200, eventStreamHeaders, retryFrame(retryWhileGoingMs));
      return;
    }
    if (this.#open.size >= streamsMax) {
      const message = `${streamsMax} event streams are open (FOREMAN_EVENT_STREAMS_MAX); ask later`;
      throw new ForemanError("events_full", message, { retryAfterS });
    }
    const onOver = () => void this.#open.delete(stream);
    const stream = new EventStream(call, { feed, after, clock, log, onOver });
    this.#open.add(stream);
    stream.begin();
    if (this.#timer === null) this.#tickLater();
  }

  /** Ends all streams: foreman goes. Idempotent. */
  end(): void {
    this.#isEnded = true;
    for (const stream of this.#open) stream.end();
  }

  #tickLater(): void {
    this.#timer = this.#options.clock.after(tickMs, () => {
      for (const stream of this.#open) stream.tick();
      this.#timer = null;
      if (this.#open.size > 0) this.#tickLater();
    });
  }
}
