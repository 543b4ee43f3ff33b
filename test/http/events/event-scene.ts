import type { Call } from "../../../src/http/call.ts";
import type { EventFeed, PassingEvent, StoredEvent } from "../../../src/http/events/event-feed.ts";
import { EventStreams } from "../../../src/http/events/event-streams.ts";
import { createLog } from "../../../src/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { until } from "../../support/until.ts";
import { parseWireAnswer, type WireAnswer } from "../../support/wire-answer.ts";
import { headOf, received } from "../received.ts";

/** A feed whose events the test makes up. */
export class MadeUpFeed implements EventFeed {
  readonly pokes = new Set<() => void>();
  /** What `read` was asked, in order. */
  readonly reads: number[] = [];
  #events: StoredEvent[] = [];
  now: PassingEvent | null = null;
  isGone = false;
  failure: Error | null = null;
  /** Events in one reading. */
  pageMax = 100;

  follow(poke: () => void): () => void {
    this.pokes.add(poke);
    return () => void this.pokes.delete(poke);
  }

  async read(after: number) {
    this.reads.push(after);
    if (this.failure !== null) throw this.failure;
    if (this.isGone) return null;
    const found = this.#events.filter(({ id }) => id > after);
    const events = found.slice(0, this.pageMax);
    return { events, hasMore: found.length > events.length };
  }

  passing(): PassingEvent | null {
    return this.now;
  }

  /** Stores one more event, and tells whoever follows. */
  store(text: string, isLast = false): void {
    this.put(text, isLast);
    for (const poke of this.pokes) poke();
  }

  /** Stores one more event without a word. */
  put(text: string, isLast = false): void {
    const id = this.#events.length + 1;
    this.#events.push({ id, type: "said", document: { text }, isLast });
  }

  stands(text: string): void {
    this.now = { type: "stands", document: { text } };
  }
}

export type OneClient = {
  /** The answer so far, without its framing. */
  readonly text: () => string;
  readonly answer: () => WireAnswer;
  /** Whether the answer came to its end, whole. */
  readonly isOver: () => boolean;
  readonly socket: Awaited<ReturnType<typeof received>>["socket"];
  readonly outgoing: Awaited<ReturnType<typeof received>>["outgoing"];
};

/** Event streams over real sockets, under a clock that stands still. */
export function eventScene({ streamsMax = 9 } = {}) {
  const clock = new ManualClock();
  const log = createLog("silent");
  const streams = new EventStreams({ clock, log, streamsMax });
  const asks = async (feed: EventFeed, after = 0, client = "ann"): Promise<OneClient> => {
    const { incoming, outgoing, socket } = await received(headOf("GET /events HTTP/1.1"));
    const pieces: Buffer[] = [];
    socket.on("data", (bytes) => pieces.push(bytes));
    const call = { incoming, outgoing, client, path: "/events", extraHeaders: ["X-Extra", "1"] };
    streams.open(call as unknown as Call, feed, after);
    await until("a head", () => pieces.length > 0);
    const answer = () => parseWireAnswer(Buffer.concat(pieces).toString("latin1"));
    const isOver = () => answer().isWhole;
    return { answer, text: () => answer().body, isOver, socket, outgoing };
  };
  return { clock, streams, asks };
}
