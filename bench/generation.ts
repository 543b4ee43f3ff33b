import type { Socket } from "node:net";
import type { Speech } from "./speech.ts";

export type GenerationOrders = {
  readonly speech: Speech;
  readonly label: string;
  readonly lines: number;
  /** Pause between two lines; 0 for as fast as the connection takes them. */
  readonly everyMs: number;
  readonly lineBytes: number;
  /** Stay after the first line until released. */
  readonly isHeld: boolean;
  readonly onOver: () => void;
};

/**
 * One generation by the target's own clock, in ms since the epoch, so that it can be held against
 * the benchmark's. `endMs` null: cut off.
 */
export type Span = {
  readonly label: string;
  readonly startMs: number;
  readonly endMs: number | null;
};

/** The time, finer than Date.now. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

const lastChunk = "0\r\n\r\n";

/**
 * An answer to a chat as Ollama streams it: a chunk a line, no byte sent while the
 * connection takes none (Ollama's producer blocks in just that way and so holds its slot).
 */
export class Generation {
  readonly #socket: Socket;
  readonly #orders: GenerationOrders;
  readonly #line: Buffer;
  readonly #startMs = nowMs();
  #endMs: number | null = null;
  #sent = 0;
  #timer: NodeJS.Timeout | null = null;
  readonly #closed = () => this.#stop();

  constructor(socket: Socket, orders: GenerationOrders) {
    this.#socket = socket;
    this.#orders = orders;
    this.#line = chunkOf(orders.speech.line(orders.lineBytes));
  }

  start(): void {
    this.#socket.on("close", this.#closed);
    const head = Buffer.from(headOf(this.#orders.speech.contentType));
    this.#socket.write(Buffer.concat([head, this.#line]));
    this.#sent = 1;
    if (!this.#orders.isHeld) this.#run();
  }

  release(): void {
    if (this.#orders.isHeld && this.#endMs === null) this.#run();
  }

  span(): Span {
    return { label: this.#orders.label, startMs: this.#startMs, endMs: this.#endMs };
  }

  #run(): void {
    const { everyMs } = this.#orders;
    if (everyMs > 0) this.#timer = setInterval(() => this.#step(), everyMs);
    else this.#pour();
  }

  #step(): void {
    if (this.#socket.writableNeedDrain) return;
    if (this.#sent < this.#orders.lines - 1) {
      this.#sent += 1;
      this.#socket.write(this.#line);
    } else this.#finish();
  }

  #pour(): void {
    while (this.#sent < this.#orders.lines - 1) {
      this.#sent += 1;
      if (!this.#socket.write(this.#line)) {
        this.#socket.once("drain", () => this.#pour());
        return;
      }
    }
    this.#finish();
  }

  #finish(): void {
    // Before the write and not after: what writing costs belongs to the gap that follows.
    this.#endMs = nowMs();
    const line = this.#orders.speech.end(this.#orders.lines);
    this.#socket.write(Buffer.concat([chunkOf(line), Buffer.from(lastChunk)]));
    this.#stop();
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#socket.off("close", this.#closed);
    this.#orders.onOver();
  }
}

function headOf(contentType: string): string {
  return (
    `HTTP/1.1 200 OK\r\nContent-Type: ${contentType}\r\n` +
    "Date: Fri, 20 Nov 2026 22:00:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n"
  );
}

function chunkOf(line: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(line).toString(16)}\r\n${line}\r\n`);
}
