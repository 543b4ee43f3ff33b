import type { ServerResponse } from "node:http";

export type Headers = readonly (readonly [string, string])[];

export type WireHead = {
  readonly status: number;
  readonly statusText: string;
  /** Those of the handler, in any order. */
  readonly headers: Headers;
  /** The body's bytes, or null when it is streamed; `bodyless` when the status forbids one. */
  readonly length: number | null | "bodyless";
  readonly isClosing: boolean;
};

/** Where the head and the body of one answer go. */
export interface Wire {
  head(head: WireHead): void;
  /** False when the socket's buffer is full: wait for `drained` before the next. */
  write(chunk: string | Buffer): boolean;
  drained(then: () => void): void;
  end(): void;
}

let dateText = "";
let dateAtS = 0;

/** An RFC 7231 date, made once a second. */
function httpDate(): string {
  const nowS = Math.floor(Date.now() / 1_000);
  if (nowS !== dateAtS) {
    dateAtS = nowS;
    dateText = new Date(nowS * 1_000).toUTCString();
  }
  return dateText;
}

/**
 * A head's headers in the order of Go's net/http: the handler's sorted by name, then Date,
 * Content-Length, Connection, Transfer-Encoding (checked against a real Ollama).
 */
export function goOrder(head: WireHead, isClosing: boolean, isChunked: boolean): Headers {
  const sorted = [...head.headers].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const ordered: (readonly [string, string])[] = [...sorted, ["Date", httpDate()]];
  if (typeof head.length === "number") ordered.push(["Content-Length", String(head.length)]);
  if (isClosing) ordered.push(["Connection", "close"]);
  if (head.length === null && isChunked) ordered.push(["Transfer-Encoding", "chunked"]);
  return ordered;
}

/** The right way: through node:http, with Go's header order and no header of Node's own. */
export class NodeWire implements Wire {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  head(head: WireHead): void {
    const { req } = this.#response;
    const isClosing = head.isClosing || /\bclose\b/i.test(req.headers.connection ?? "");
    // Without this Node would add `Connection: keep-alive` and `Keep-Alive`, which Go never sends.
    this.#response.removeHeader("connection");
    this.#response.sendDate = false;
    const headers = goOrder(head, isClosing, req.httpVersion !== "1.0").flat();
    this.#response.writeHead(head.status, head.statusText, headers);
  }

  write(chunk: string | Buffer): boolean {
    return this.#response.write(chunk);
  }

  drained(then: () => void): void {
    this.#response.once("drain", then);
  }

  end(): void {
    this.#response.end();
  }
}
