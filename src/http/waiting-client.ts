import type { Clock, Timer } from "../clock.ts";
import type { ForemanError } from "../errors.ts";
import type { JobId } from "../job.ts";
import type { Waiter, WaitNotes } from "../queue/waiters.ts";
import type { TargetFailure, TargetHead } from "../target/target.ts";
import { errorWords } from "../wire/error-words.ts";
import type { Call } from "./call.ts";
import { errorFrame } from "./error-shapes.ts";
import { Relay } from "./relay.ts";

/** Filler after filler: well inside the 30 s that the least patient clients allow between bytes. */
const fillerEveryMs = 15_000;

/** An error of the target that must go in-band comes in one piece or two; what follows is cut. */
const errorPiecesMax = 8;

export type WaitingClientOptions = {
  readonly jobId: JobId;
  readonly clock: Clock;
  /** Whether the client asked for a stream: only a stream may begin before its answer does. */
  readonly isStream: boolean;
  /** After so long a wait the head goes out early, with filler behind it; 0 for never. */
  readonly fillerAfterMs: number;
  readonly onGone: (why: "client_gone" | "client_too_slow") => void;
};

/**
 * The connection of a client whose chat waits. Headers are held as Ollama holds them, so that an
 * early error keeps its status. Node's fetch gives up after 300 s without headers, so a stream that
 * waits longer than most gets them early, and bytes that every parser passes over: spaces before
 * NDJSON (a blank line breaks Python's and Go's clients), comments in SSE. From then on errors can
 * only be told in-band.
 */
export class WaitingClient implements Waiter {
  readonly #call: Call;
  readonly #options: WaitingClientOptions;
  readonly #relay: Relay;
  #fillerTimer: Timer | null = null;
  #hasAnswer = false;
  /** An error answer whose status came too late to be told. */
  #lateError: { readonly statusCode: number; readonly pieces: Buffer[] } | null = null;

  constructor(call: Call, options: WaitingClientOptions) {
    this.#call = call;
    this.#options = options;
    this.#relay = new Relay(call, {
      pressure: "buffer",
      onGone: options.onGone,
      onOver: () => this.#fillerTimer?.cancel(),
    });
    if (options.isStream && options.fillerAfterMs > 0) this.#fillAfter(options.fillerAfterMs);
  }

  get hasAnswer(): boolean {
    return this.#hasAnswer;
  }

  /** Lets go of the connection, of which another takes care from now on. */
  retire(): void {
    this.#relay.retire();
  }

  head(head: TargetHead, notes: WaitNotes): void {
    this.#hasAnswer = true;
    this.#fillerTimer?.cancel();
    if (this.#call.outgoing.headersSent) {
      const { statusCode } = head;
      if (statusCode >= 400) this.#lateError = { statusCode, pieces: [] };
      return;
    }
    this.#relay.head(head, [
      "X-Foreman-Job",
      notes.jobId,
      "X-Foreman-Queued-Ms",
      String(Math.round(notes.queuedMs)),
    ]);
  }

  chunk(bytes: Buffer): void {
    if (this.#lateError === null) this.#relay.chunk(bytes);
    else if (this.#lateError.pieces.length < errorPiecesMax) this.#lateError.pieces.push(bytes);
  }

  end(): void {
    if (this.#lateError !== null) {
      const { pieces, statusCode } = this.#lateError;
      this.#tellInBand(statusCode, errorWords(Buffer.concat(pieces).toString("utf8")));
    }
    this.#relay.end();
  }

  failed(failure: TargetFailure, isComplete = false): void {
    this.#relay.failed(failure, isComplete);
  }

  refuse(error: ForemanError): void {
    if (!this.#call.outgoing.headersSent) {
      this.#relay.refuse(error);
      return;
    }
    this.#tellInBand(error.statusCode, error.message);
    this.#relay.end();
  }

  #tellInBand(statusCode: number, message: string): void {
    this.#relay.chunk(Buffer.from(errorFrame(this.#call.shape, statusCode, message)));
  }

  #fillAfter(ms: number): void {
    this.#fillerTimer = this.#options.clock.after(ms, () => {
      this.#fill();
      this.#fillAfter(fillerEveryMs);
    });
  }

  #fill(): void {
    const { extraHeaders, outgoing, shape } = this.#call;
    if (!outgoing.headersSent) {
      const contentType = fillerType(this.#call);
      const headers = ["Content-Type", contentType, "X-Foreman-Job", this.#options.jobId];
      outgoing.writeHead(200, [...headers, ...extraHeaders]);
      this.#relay.began(contentType);
    }
    outgoing.write(shape === "native" ? " " : ": keep-alive\n\n");
  }
}

/** What the answer's own head would have said of a stream on that route. */
function fillerType({ shape }: Call): string {
  return shape === "native" ? "application/x-ndjson" : "text/event-stream";
}
