// Connections without sockets: two ends in memory, Node's own HTTP on both of them. All that follows
// from a byte follows in the same turn of the event loop.
import { request as httpRequest, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";

/** One end of a connection, with what HTTP asks of a socket. */
export class Wire extends Duplex {
  readonly remoteAddress = "127.0.0.1";
  #other: Wire | null = null;
  /** Nothing comes from there any more, not even an end. */
  isMute = false;

  /** Both ends of a new connection. */
  static pair(): readonly [Wire, Wire] {
    const [one, other] = [new Wire(), new Wire()];
    one.#other = other;
    other.#other = one;
    return [one, other];
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, written: () => void): void {
    process.nextTick(() => {
      this.#tell(chunk);
      written();
    });
  }

  override _final(ended: () => void): void {
    process.nextTick(() => {
      this.#tell(null);
      ended();
    });
  }

  override _destroy(cause: Error | null, destroyed: (cause: Error | null) => void): void {
    process.nextTick(() => this.#tell(null));
    destroyed(cause);
  }

  #tell(chunk: Buffer | null): void {
    const other = this.#other;
    if (other === null || other.destroyed || other.readableEnded || this.isMute) return;
    if (!other.#hasEnd) other.push(chunk);
    if (chunk === null) other.#hasEnd = true;
  }

  #hasEnd = false;
}

export type Asked = {
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
};

/** One request of a client's, and what it has of the answer. */
export class Exchange {
  statusCode: number | null = null;
  headers: IncomingMessage["headers"] = {};
  text = "";
  /** The whole answer came, as HTTP tells it. */
  isEnded = false;
  /** Resolves when nothing more will come. */
  readonly over = Promise.withResolvers<"over">();
  readonly #wire: Wire;

  constructor(wire: Wire, asked: Asked) {
    this.#wire = wire;
    const { body = "", headers = {}, method = "GET", path } = asked;
    const request = httpRequest({
      ...{ method, path, createConnection: () => wire },
      headers: { Host: "127.0.0.1:8080", ...headers, ...lengthOf(method, body) },
    });
    request.on("response", (answer) => this.#take(answer));
    request.on("error", () => this.over.resolve("over"));
    request.on("close", () => this.over.resolve("over"));
    request.end(method === "GET" ? undefined : body);
  }

  /** The answer's document; null if it has none. */
  get document(): Record<string, unknown> | null {
    try {
      return JSON.parse(this.text) as Record<string, unknown>;
    } catch {
      return null;
    }
  }

  /** The client closes its connection. */
  leave(): void {
    this.#wire.destroy();
  }

  /** Whoever would answer is dead. */
  cut(): void {
    this.#wire.isMute = true;
    this.#wire.destroy();
  }

  #take(answer: IncomingMessage): void {
    this.statusCode = answer.statusCode ?? null;
    this.headers = answer.headers;
    answer.setEncoding("utf8");
    answer.on("data", (text: string) => {
      this.text += text;
    });
    answer.on("end", () => {
      this.isEnded = answer.complete;
    });
    answer.on("error", () => {});
    answer.on("close", () => this.over.resolve("over"));
  }
}

function lengthOf(method: string, body: Buffer | string): Record<string, string> {
  return method === "GET" ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
}
