import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A client that asks and then reads nothing, until it is told to. Bytes are counted, not kept. */
export class PausedReader {
  readonly #socket: Socket;
  #receivedBytes = 0;
  #tail = "";
  #isClosed = false;

  constructor(port: number, method: string, path: string, body: string) {
    this.#socket = connect({ port, host: "127.0.0.1" });
    this.#socket.pause();
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.#isClosed = true;
    });
    const head = [`${method} ${path} HTTP/1.1`, "Host: localhost", "Connection: close"];
    const length = `Content-Length: ${Buffer.byteLength(body)}`;
    this.#socket.write(`${[...head, length].join("\r\n")}\r\n\r\n${body}`);
    onTestFinished(() => void this.#socket.destroy());
  }

  /** Head and framing included. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** The last characters that came. */
  get tail(): string {
    return this.#tail;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  resume(): void {
    this.#socket.on("data", (bytes) => {
      this.#receivedBytes += bytes.length;
      this.#tail = `${this.#tail}${bytes.toString("latin1", Math.max(0, bytes.length - 64))}`.slice(
        -64,
      );
    });
    this.#socket.resume();
  }
}
