import { ForemanError } from "../errors.ts";
import { headerValue } from "../target/hop-headers.ts";
import type { TargetExchange, TargetFailure, TargetHead, TargetSink } from "../target/target.ts";
import { answerError, type Call, watchClient } from "./call.ts";
import { errorFrame } from "./error-shapes.ts";

/** A client that lags so far behind a generation is cut off: its answer is held in memory. */
const bufferBytesMax = 16 * 2 ** 20;

const newline = 0x0a;

/** A client that takes nothing for so long, though there is something to take, is gone. */
export const stuckMsMax = 60_000;

type RelayOptions = {
  /**
   * `hold` slows the target down to the client's pace. `buffer` never does, because a generation
   * that cannot send holds the model's slot (Ollama's producer blocks on an unbuffered channel).
   */
  readonly pressure: "hold" | "buffer";
  /** The client left, or was cut off as too slow. The exchange is the caller's to abort. */
  readonly onGone: (why: "client_gone" | "client_too_slow") => void;
  /** The answer is over, one way or another; called once, after the last byte was handed on. */
  readonly onOver?: () => void;
};

/** Passes the target's answer to a client: its status, its headers and its bytes as they come. */
export class Relay implements TargetSink {
  readonly #call: Call;
  readonly #options: RelayOptions;
  readonly #stopWatching: () => void;
  #exchange: TargetExchange | null = null;
  #contentType = "";
  #lastByte = newline;
  #isOver = false;

  constructor(call: Call, options: RelayOptions) {
    this.#call = call;
    this.#options = options;
    this.#stopWatching = watchClient(call, () => this.#gone("client_gone"));
  }

  /** The exchange that is slowed down under pressure `hold`. */
  follow(exchange: TargetExchange): void {
    this.#exchange = exchange;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Leaves the connection to somebody else. */
  retire(): void {
    if (!this.#isOver) this.#finish();
  }

  /** A head of that content type went out by other hands, before the target's answer came. */
  began(contentType: string): void {
    this.#contentType = contentType;
  }

  /** Passes the head on, with `notes` added; without effect if a head went out already. */
  head(head: TargetHead, notes: readonly string[] = []): void {
    const { extraHeaders, outgoing } = this.#call;
    if (this.#isOver || outgoing.headersSent) return;
    this.#contentType = headerValue(head.rawHeaders, "content-type") ?? "";
    const headers = [...head.rawHeaders, ...notes, ...extraHeaders];
    try {
      if (head.statusText === "") outgoing.writeHead(head.statusCode, headers);
      else outgoing.writeHead(head.statusCode, head.statusText, headers);
    } catch (cause) {
      // Node refuses to write some heads that it was willing to read, and keeps half of them.
      outgoing.statusMessage = "";
      this.#options.onGone("client_gone");
      const message = "the target's answer has a head that cannot be passed on";
      this.refuse(new ForemanError("target_broke_off", message, { cause }));
      return;
    }
    // The head goes out with the first chunk; without one in this turn of the loop, alone.
    process.nextTick(() => {
      if (!this.#isOver) outgoing.flushHeaders();
    });
  }

  chunk(bytes: Buffer): void {
    const { outgoing } = this.#call;
    if (this.#isOver) return;
    this.#lastByte = bytes.at(-1) ?? this.#lastByte;
    const isTaken = outgoing.write(bytes);
    if (isTaken) return;
    if (this.#options.pressure === "hold") this.#hold();
    else if (outgoing.writableLength > bufferBytesMax) this.#cutOff();
  }

  end(): void {
    if (this.#isOver) return;
    const { outgoing } = this.#call;
    this.#finish();
    outgoing.setTimeout(stuckMsMax);
    outgoing.end();
  }

  failed(failure: TargetFailure, isComplete = false): void {
    const { outgoing, shape } = this.#call;
    if (this.#isOver) return;
    if (!outgoing.headersSent) {
      this.refuse(errorOf(failure));
      return;
    }
    const error = errorOf(failure);
    this.#finish();
    const isStream = /^(application\/x-ndjson|text\/event-stream)/.test(this.#contentType);
    // No final chunk is sent, so that no client takes what came for the whole.
    if (isComplete) outgoing.write("", () => outgoing.destroy());
    else if (!isStream) outgoing.destroy();
    else {
      const frame = `${this.#lineBreak()}${errorFrame(shape, error.statusCode, error.message)}`;
      outgoing.setTimeout(stuckMsMax);
      outgoing.write(frame, () => outgoing.destroy());
    }
  }

  /** What ends the line, or in SSE the frame, that the target left unfinished. */
  #lineBreak(): string {
    if (this.#contentType.startsWith("text/")) return "\n\n";
    return this.#lastByte === newline ? "" : "\n";
  }

  /** Answers with an error of foreman's own, if no head went out yet. */
  refuse(error: ForemanError): void {
    if (this.#isOver) return;
    this.#finish();
    answerError(this.#call, error);
  }

  #hold(): void {
    const { outgoing } = this.#call;
    this.#exchange?.pause();
    outgoing.setTimeout(stuckMsMax);
    outgoing.once("drain", () => {
      outgoing.setTimeout(0);
      this.#exchange?.resume();
    });
  }

  #cutOff(): void {
    this.#gone("client_too_slow");
    this.#call.outgoing.destroy();
  }

  #gone(why: "client_gone" | "client_too_slow"): void {
    if (this.#isOver) return;
    this.#finish();
    this.#options.onGone(why);
  }

  #finish(): void {
    this.#isOver = true;
    this.#stopWatching();
    this.#options.onOver?.();
  }
}

function errorOf({ kind, message, cause }: TargetFailure): ForemanError {
  switch (kind) {
    case "unreachable":
      return new ForemanError("target_unreachable", `Ollama is not reachable: ${message}`, {
        cause,
      });
    case "lost":
    case "malformed":
      return new ForemanError("target_broke_off", `Ollama broke the answer off: ${message}`, {
        cause,
      });
    case "aborted":
      return new ForemanError("target_broke_off", `foreman cut the answer off: ${message}`, {
        cause,
      });
  }
}
