import { connect, type Socket } from "node:net";
import { until } from "./until.ts";

/** A client that sends just the bytes that it is told to, and keeps what comes back, with times. */
export class RawClient {
  readonly socket: Socket;
  readonly #pieces: { readonly atMs: number; readonly bytes: Buffer }[] = [];
  #isEnded = false;
  #isClosed = false;

  constructor(port: number, host = "127.0.0.1") {
    this.socket = connect({ port, host, noDelay: true, allowHalfOpen: true });
    this.socket.on("data", (bytes) => this.#pieces.push({ atMs: performance.now(), bytes }));
    this.socket.on("end", () => {
      this.#isEnded = true;
    });
    this.socket.on("close", () => {
      this.#isClosed = true;
    });
    this.socket.on("error", () => {});
  }

  /** What came so far, as latin1 text: one character a byte. */
  get text(): string {
    return Buffer.concat(this.#pieces.map(({ bytes }) => bytes)).toString("latin1");
  }

  /** The server has closed its half, or all. */
  get isOver(): boolean {
    return this.#isEnded || this.#isClosed;
  }

  /** performance.now() at which the first piece came that completes `text`. */
  arrivalMs(text: string): number {
    let seen = "";
    for (const { atMs, bytes } of this.#pieces) {
      seen += bytes.toString("latin1");
      if (seen.includes(text)) return atMs;
    }
    throw new Error(`never received: ${text}`);
  }

  send(bytes: string | Buffer): this {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this;
  }

  /** A POST of JSON with Content-Length. */
  post(path: string, body: unknown, headers: readonly string[] = []): this {
    const text = JSON.stringify(body);
    const head = [`POST ${path} HTTP/1.1`, "Host: localhost", ...headers];
    const length = `Content-Length: ${Buffer.byteLength(text)}`;
    return this.send(Buffer.from(`${[...head, length].join("\r\n")}\r\n\r\n${text}`));
  }

  async received(text: string, withinMs = 5_000): Promise<this> {
    await until(`"${text}" received`, () => this.text.includes(text), withinMs);
    return this;
  }

  async over(withinMs = 5_000): Promise<this> {
    await until("the server closes", () => this.isOver, withinMs);
    return this;
  }

  /** Goes without a word: the server sees a reset. */
  vanish(): void {
    this.socket.resetAndDestroy();
  }

  leave(): void {
    this.socket.destroy();
  }
}
