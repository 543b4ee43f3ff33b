import { type ServerResponse, STATUS_CODES } from "node:http";
import type { WireFault } from "./fault.ts";
import { FaultyWire } from "./faulty-wire.ts";
import { type Headers, NodeWire, type Wire } from "./wire.ts";

/** Go's buffer: an answer that fits into it gets a Content-Length, a larger one is chunked. */
const bufferedBytesMax = 2_048;

/** One answer, made as Ollama's handlers make theirs. */
export class Reply {
  readonly #response: ServerResponse;
  /** Those of the middleware: CORS and Allow. */
  readonly #common: [string, string][] = [];
  #wire: Wire;
  #statusCode = 0;
  #isEnded = false;
  /** What is written is flushed at once, as in Ollama's streams: then even errors are chunked. */
  isFlushing = false;
  /** The connection ends with this answer. */
  isClosing = false;

  constructor(response: ServerResponse) {
    this.#response = response;
    this.#wire = new NodeWire(response);
  }

  /** 0 until the head is out. */
  get statusCode(): number {
    return this.#statusCode;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The connection takes no more bytes. */
  get isBroken(): boolean {
    return this.#response.destroyed || this.#response.socket?.writable !== true;
  }

  breakWire(fault: WireFault): void {
    this.#wire = new FaultyWire(this.#response, fault);
  }

  addHeader(name: string, value: string): void {
    this.#common.push([name, value]);
  }

  /** As gin's c.JSON writes it. */
  json(status: number, value: unknown, contentType = "application/json; charset=utf-8"): void {
    this.body(status, goJson(value), [["Content-Type", contentType]]);
  }

  /** As the OpenAI and Anthropic layers write it: encoded with a newline at the end. */
  encoded(status: number, value: unknown): void {
    this.body(status, `${goJson(value)}\n`, [["Content-Type", "application/json"]]);
  }

  /** A whole answer; `statusText` replaces the usual one. */
  body(status: number, text: string | Buffer, headers: Headers, statusText?: string): void {
    const bytes = typeof text === "string" ? Buffer.from(text) : text;
    const isBodyless = status === 204 || status === 304;
    const isHead = this.#response.req.method === "HEAD";
    const isLengthless = isBodyless || (isHead && bytes.length === 0);
    this.#start(status, headers, isLengthless ? "bodyless" : this.#length(bytes), statusText);
    if (bytes.length > 0 && !isHead && !isBodyless) this.#wire.write(bytes);
    this.end();
  }

  #length(bytes: Buffer): number | null | "bodyless" {
    if (bytes.length <= bufferedBytesMax && !this.isFlushing) return bytes.length;
    return this.#response.req.method === "HEAD" ? "bodyless" : null;
  }

  empty(status: number, headers: Headers = []): void {
    this.body(status, "", headers);
  }

  /** The head of a streamed answer; it leaves with the first frame. */
  stream(status: number, headers: Headers): void {
    this.#start(status, headers, null);
  }

  /** One HTTP chunk. A promise comes back while the client reads too slowly to take more. */
  write(frame: string): Promise<void> | null {
    if (this.#wire.write(frame)) return null;
    return new Promise((resolve) => {
      this.#wire.drained(resolve);
      this.#response.once("close", resolve);
    });
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#wire.end();
  }

  /** Breaks the connection: with an RST, or with a FIN and without the end of the body. */
  cut(how: "reset" | "close"): void {
    this.#isEnded = true;
    const { socket } = this.#response;
    if (how === "reset") socket?.resetAndDestroy();
    else socket?.end(() => socket.destroy());
  }

  #start(
    status: number,
    headers: Headers,
    length: number | null | "bodyless",
    statusText = STATUS_CODES[status] ?? `status code ${status}`,
  ): void {
    this.#statusCode = status;
    const { isClosing } = this;
    const all = [...this.#common, ...headers];
    this.#wire.head({ status, statusText, headers: all, length, isClosing });
  }
}

const escaped: Record<string, string> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** JSON as Go writes it: with the characters escaped that could end a script in a page. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (char) => escaped[char] ?? char);
}
