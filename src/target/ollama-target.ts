import type { Readable } from "node:stream";
import { Agent, type Dispatcher } from "undici";
import { causeText, codeOf } from "../errors.ts";
import { Blotter, blottedText, secretOf } from "./blotted.ts";
import { headersForClient, headersForTarget, headerValue, headerValues } from "./hop-headers.ts";
import type { Target, TargetExchange, TargetFailure, TargetRequest, TargetSink } from "./target.ts";
import { viaToken } from "./via.ts";

/** Long enough for a busy box to accept; a connection that takes longer will not come. */
const connectTimeoutMs = 10_000;

type OllamaTargetOptions = {
  /** Scheme, host and port: the only place where requests ever go. Redirects are not followed. */
  readonly origin: string;
  /** Bearer for the target, or null. */
  readonly token: string | null;
};

/**
 * The target over HTTP/1.1 by undici's dispatcher: bytes as they come, one callback a chunk, which
 * costs a third of what its streams cost. There is no timeout on headers or body, because a cold
 * model load takes as long as it takes; whoever runs a job watches for a stall.
 */
export class OllamaTarget implements Target {
  readonly origin: string;
  readonly #authorization: string | null;
  readonly #secret: Buffer | null;
  readonly #agent = new Agent({
    connect: { timeout: connectTimeoutMs },
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 1,
    connections: null,
  });

  constructor(options: OllamaTargetOptions) {
    this.origin = options.origin;
    this.#authorization = options.token === null ? null : `Bearer ${options.token}`;
    this.#secret = secretOf(options.token);
  }

  send(request: TargetRequest, sink: TargetSink): TargetExchange {
    const exchange = new Exchange(sink, this.#secret);
    this.#agent.dispatch(
      {
        origin: this.origin,
        path: request.path,
        method: request.method as Dispatcher.HttpMethod,
        headers: this.#headers(request),
        body: request.body as Buffer | Readable | null,
      },
      exchange,
    );
    return exchange;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #headers(request: TargetRequest): string[] {
    const headers = headersForTarget(request.rawHeaders);
    headers.push("Via", [...headerValues(request.rawHeaders, "via"), viaToken].join(", "));
    if (this.#authorization !== null) headers.push("Authorization", this.#authorization);
    const length = headerValue(request.rawHeaders, "content-length");
    if (request.body !== null && !Buffer.isBuffer(request.body) && length !== null) {
      headers.push("Content-Length", length);
    }
    return headers;
  }
}

class Exchange implements TargetExchange, Dispatcher.DispatchHandler {
  readonly #sink: TargetSink;
  /** What stands in front of Ollama may repeat what it refuses: clients must not learn it. */
  readonly #secret: Buffer | null;
  /** Of an error's body. One that began with 200 is the model's, and passes as it is. */
  #blotter: Blotter | null = null;
  #controller: Dispatcher.DispatchController | null = null;
  #isAborted = false;
  #hasHead = false;
  #isOver = false;

  constructor(sink: TargetSink, secret: Buffer | null) {
    this.#sink = sink;
    this.#secret = secret;
  }

  abort(): void {
    if (this.#isAborted || this.#isOver) return;
    this.#isAborted = true;
    const cause = new Error("aborted by foreman");
    // While the connection is still being made there is nothing to cut, and nobody to wait for.
    if (this.#controller) this.#controller.abort(cause);
    else this.onResponseError(null, cause);
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isAborted) controller.abort(new Error("aborted by foreman"));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    statusCode: number,
    _headers: unknown,
    statusText = "",
  ): void {
    // Informational answers are a matter between two hops.
    if (statusCode < 200) return;
    this.#hasHead = true;
    const secret = this.#secret;
    const told = (text: string) => (secret === null ? text : blottedText(text, secret));
    if (secret !== null && statusCode >= 400) this.#blotter = new Blotter(secret);
    const rawHeaders = textHeaders(controller.rawHeaders).map(told);
    this.#sink.head({
      statusCode,
      statusText: told(statusText),
      rawHeaders: headersForClient(rawHeaders),
      isDelimited:
        headerValue(rawHeaders, "content-length") !== null ||
        headerValue(rawHeaders, "transfer-encoding") !== null,
    });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#tell(this.#blotter === null ? chunk : this.#blotter.take(chunk));
  }

  onResponseEnd(): void {
    this.#isOver = true;
    if (this.#blotter !== null) this.#tell(this.#blotter.rest());
    this.#sink.end();
  }

  #tell(bytes: Buffer): void {
    if (bytes.length > 0) this.#sink.chunk(bytes);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, cause: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink.failed({
      kind: this.#isAborted ? "aborted" : this.#kindOf(cause),
      afterHead: this.#hasHead,
      message: causeText(cause),
      cause,
    });
  }

  #kindOf(cause: Error): TargetFailure["kind"] {
    if (codeOf(cause) === "UND_ERR_INVALID_ARG") return "malformed";
    if (this.#controller === null) return "unreachable";
    return /^(HPE_|UND_ERR_(HEADERS_OVERFLOW|RES_))/.test(codeOf(cause)) ? "malformed" : "lost";
  }
}

/** undici hands raw headers over as buffers; HTTP/1 header text is latin1. */
function textHeaders(rawHeaders: Dispatcher.DispatchController["rawHeaders"]): string[] {
  if (!Array.isArray(rawHeaders)) return [];
  return rawHeaders.map((part) => (typeof part === "string" ? part : part.toString("latin1")));
}
