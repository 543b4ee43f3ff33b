import type { Readable } from "node:stream";

/** A header list as Node gives it: name, value, name, value, with case and order as received. */
export type RawHeaders = readonly string[];

export type TargetRequest = {
  readonly method: string;
  /** Path and query exactly as the client sent them; the origin is never the client's to choose. */
  readonly path: string;
  /** As received; the target client strips what must not travel and sets its own Host. */
  readonly rawHeaders: RawHeaders;
  /**
   * Gathered bytes are sent with their Content-Length, so that the target notices a disconnect.
   * A stream is piped, with the client's own Content-Length if it gave one.
   */
  readonly body: Buffer | Readable | null;
};

export type TargetHead = {
  readonly statusCode: number;
  readonly statusText: string;
  /** Hop-by-hop headers are already gone. */
  readonly rawHeaders: RawHeaders;
  /**
   * Whether the answer has a length or is chunked. Otherwise it ends where the connection does, and
   * a target that died looks like one that finished.
   */
  readonly isDelimited: boolean;
};

/**
 * How an exchange failed, HTTP answers of any status being no failure. `unreachable`: no
 * connection, so nothing was asked. `lost`: the connection died. `malformed`: what came was no
 * HTTP. `aborted`: our own doing.
 */
export type TargetFailure = {
  readonly kind: "unreachable" | "lost" | "malformed" | "aborted";
  /** Whether the answer's head had come. */
  readonly afterHead: boolean;
  readonly message: string;
  readonly cause: unknown;
};

/**
 * Receives one answer: `head`, then any number of `chunk`, then exactly one of `end` and `failed`.
 */
export interface TargetSink {
  head(head: TargetHead): void;
  chunk(bytes: Buffer): void;
  end(): void;
  /** May come without a head. Nothing follows. */
  failed(failure: TargetFailure): void;
}

export interface TargetExchange {
  /** Closes the connection at once; the sink hears `failed` with `aborted` unless it has ended. */
  abort(): void;
  /** Stops and restarts reading. Never used on a generation: it would hold the model's slot. */
  pause(): void;
  resume(): void;
}

/** The one Ollama behind foreman. */
export interface Target {
  /** Scheme, host and port, for people and for logs. */
  readonly origin: string;
  /** Sends one request. Never throws: what goes wrong comes to `sink.failed`. */
  send(request: TargetRequest, sink: TargetSink): TargetExchange;
  /** Closes idle connections and waits for none. */
  close(): Promise<void>;
}
