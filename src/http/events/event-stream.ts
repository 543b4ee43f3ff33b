import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import { type Call, watchClient } from "../call.ts";
import { stuckMsMax } from "../relay.ts";
import type { EventFeed, StoredEvent } from "./event-feed.ts";
import { eventFrame, keepAliveFrame, retryFrame } from "./event-frame.ts";

/** Proxies cut a connection that is silent for 30 to 60 s. */
const silenceMsMax = 15_000;

/** How often what passes is told at most. */
const passingEveryMs = 1_000;

/** About what a restart takes. */
const retryMs = 2_000;

/** The head of an event stream. The last one keeps nginx from gathering it. */
export const eventStreamHeaders = [
  ...["Content-Type", "text/event-stream", "Cache-Control", "no-store"],
  ...["X-Accel-Buffering", "no"],
];

type EventStreamOptions = {
  readonly feed: EventFeed;
  /** The last event that the client has; 0 for none. */
  readonly after: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Called once, when it is over, whoever ended it. */
  readonly onOver: () => void;
};

/**
 * One client's events: what is stored, each once and in order, and between them what passes.
 *
 * It follows first and reads then, so nothing falls in between. Nothing is gathered for a client
 * that does not keep up: what passes is left out, and what is stored is read when there is room.
 */
export class EventStream {
  readonly #call: Call;
  readonly #options: EventStreamOptions;
  #lastId: number;
  #lastPassing = "";
  #passingAtMs = Number.NEGATIVE_INFINITY;
  #writtenAtMs: number;
  #isPoked = false;
  #isReading = false;
  #isFull = false;
  #isOver = false;
  #unfollow = () => {};
  #stopWatching = () => {};

  constructor(call: Call, options: EventStreamOptions) {
    this.#call = call;
    this.#options = options;
    this.#lastId = options.after;
    this.#writtenAtMs = options.clock.monotonicMs();
  }

  begin(): void {
    const { extraHeaders, outgoing } = this.#call;
    outgoing.writeHead(200, [...eventStreamHeaders, ...extraHeaders]);
    this.#write(retryFrame(retryMs));
    this.#stopWatching = watchClient(this.#call, () => this.#close());
    this.#unfollow = this.#options.feed.follow(() => this.#poke());
    this.#poke();
  }

  /** Tells what passes, and that it is alive. Called every second. */
  tick(): void {
    if (this.#isOver || this.#isFull) return;
    if (!this.#isReading) this.#tellPassing();
    if (this.#options.clock.monotonicMs() - this.#writtenAtMs < silenceMsMax) return;
    this.#write(keepAliveFrame);
    // Should a poke ever have been missed, it is made good here.
    this.#poke();
  }

  /** Ends the answer, whole; a client that has not taken what it was sent is not waited for. */
  end(): void {
    if (this.#isOver) return;
    const { outgoing } = this.#call;
    const isStuck = this.#isFull;
    this.#close();
    outgoing.setTimeout(stuckMsMax);
    if (isStuck) outgoing.destroy();
    else outgoing.end();
  }

  #poke(): void {
    this.#isPoked = true;
    if (!this.#isReading) void this.#read();
  }

  async #read(): Promise<void> {
    const { feed, log } = this.#options;
    this.#isReading = true;
    try {
      while (this.#isPoked && !this.#isOver && !this.#isFull) {
        this.#isPoked = false;
        const found = await feed.read(this.#lastId);
        if (found === null) this.end();
        else this.#tell(found.events);
        if (found?.hasMore) this.#isPoked = true;
      }
    } catch (cause) {
      // The client comes back, and goes on where it was.
      log.warn({ err: cause, path: this.#call.path }, "event stream ended: its events not read");
      this.end();
    } finally {
      this.#isReading = false;
    }
    this.#tellPassing();
  }

  #tell(events: readonly StoredEvent[]): void {
    for (const event of events) {
      if (this.#isOver) return;
      if (this.#isFull) {
        this.#isPoked = true;
        return;
      }
      this.#write(eventFrame(event, event.id));
      this.#lastId = event.id;
      if (event.isLast) this.end();
    }
  }

  #tellPassing(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#isOver || this.#isFull || nowMs - this.#passingAtMs < passingEveryMs) return;
    const passing = this.#options.feed.passing();
    if (passing === null) return;
    const frame = eventFrame(passing, null);
    if (frame === this.#lastPassing) return;
    this.#lastPassing = frame;
    this.#passingAtMs = nowMs;
    this.#write(frame);
  }

  #write(frame: string): void {
    const { outgoing } = this.#call;
    this.#writtenAtMs = this.#options.clock.monotonicMs();
    if (outgoing.write(frame)) return;
    this.#isFull = true;
    outgoing.setTimeout(stuckMsMax);
    outgoing.once("drain", () => {
      outgoing.setTimeout(0);
      this.#isFull = false;
      this.#poke();
    });
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopWatching();
    this.#unfollow();
    this.#options.onOver();
  }
}
