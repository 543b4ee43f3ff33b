import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import type { WireFault } from "./fault.ts";
import { goOrder, type Headers, type Wire, type WireHead } from "./wire.ts";

/**
 * Writes an answer past node:http, straight to the socket, so that it can be wrong in ways which
 * node:http does not allow. The connection always ends with the answer.
 */
export class FaultyWire implements Wire {
  readonly #socket: Socket;
  readonly #fault: WireFault;
  readonly #isHead: boolean;
  readonly #held: Buffer[] = [];
  #pending: WireHead | null = null;
  #isChunked = false;
  #sentBytes = 0;
  #isCut = false;

  constructor(response: ServerResponse, fault: WireFault) {
    if (response.socket === null) throw new Error("the connection is gone");
    this.#socket = response.socket;
    this.#fault = fault;
    this.#isHead = response.req.method === "HEAD";
  }

  head(head: WireHead): void {
    // Body and length change together, so the head waits for the whole body.
    if (this.#isHeldBack()) this.#pending = head;
    else this.#sendHead(head, head.length);
  }

  write(chunk: string | Buffer): boolean {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (this.#pending !== null) {
      this.#held.push(bytes);
      return true;
    }
    return this.#body(bytes);
  }

  drained(then: () => void): void {
    this.#socket.once("drain", then);
  }

  end(): void {
    if (this.#pending === null) {
      this.#finish();
      return;
    }
    const body = this.#transformed(Buffer.concat(this.#held));
    this.#sendHead(this.#pending, body.length);
    if (this.#fault.kind === "slow-body") void this.#slowly(body, this.#fault);
    else {
      this.#body(body);
      this.#finish();
    }
  }

  #isHeldBack(): boolean {
    const { kind } = this.#fault;
    return ["gzip", "replace-body", "slow-body", "content-length"].includes(kind);
  }

  #transformed(body: Buffer): Buffer {
    if (this.#fault.kind === "gzip") return gzipSync(body);
    return this.#fault.kind === "replace-body" ? Buffer.from(this.#fault.body) : body;
  }

  #sendHead(head: WireHead, length: WireHead["length"]): void {
    const fault = this.#fault;
    if (fault.kind === "informational") this.#inform(fault.status, fault.count);
    const isDelimited = fault.kind === "close-delimited";
    const delta = fault.kind === "content-length" && typeof length === "number" ? fault.delta : 0;
    const shown = isDelimited ? "bodyless" : typeof length === "number" ? length + delta : length;
    this.#isChunked = shown === null;
    const ordered = goOrder({ ...head, length: shown }, false, true);
    const lines = [...ordered, ...this.#extra()].map(([name, value]) => `${name}: ${value}\r\n`);
    const { status, statusText } = fault.kind === "status" ? fault : head;
    this.#send(Buffer.from(`HTTP/1.1 ${status} ${statusText ?? ""}\r\n${lines.join("")}\r\n`));
  }

  #extra(): Headers {
    if (this.#fault.kind === "extra-headers") return this.#fault.headers;
    return this.#fault.kind === "gzip" ? [["Content-Encoding", "gzip"]] : [];
  }

  #inform(status: number, count: number): void {
    const link = status === 103 ? "Link: </style.css>; rel=preload\r\n" : "";
    const names: Record<number, string> = {
      100: "Continue",
      102: "Processing",
      103: "Early Hints",
    };
    const text = `HTTP/1.1 ${status} ${names[status] ?? ""}\r\n${link}\r\n`;
    for (let sent = 0; sent < count; sent += 1) this.#socket.write(text);
  }

  #body(bytes: Buffer): boolean {
    if (this.#isHead || bytes.length === 0) return true;
    if (!this.#isChunked) return this.#send(bytes);
    const size = Buffer.from(`${bytes.length.toString(16)}\r\n`);
    return this.#send(Buffer.concat([size, bytes, Buffer.from("\r\n")]));
  }

  /** Every byte of the answer passes here, the head's too, so that they can be counted. */
  #send(bytes: Buffer): boolean {
    if (this.#isCut || this.#socket.destroyed) return true;
    if (this.#fault.kind !== "reset-after-bytes") return this.#socket.write(bytes);
    const room = this.#fault.bytes - this.#sentBytes;
    this.#sentBytes += Math.min(bytes.length, room);
    if (bytes.length < room) return this.#socket.write(bytes);
    this.#isCut = true;
    // RST discards what the peer has not read yet: give it a moment to be delivered.
    this.#socket.write(bytes.subarray(0, room), () => {
      setTimeout(() => this.#socket.resetAndDestroy(), 5);
    });
    return true;
  }

  #finish(): void {
    if (this.#isCut) return;
    if (this.#isChunked) this.#send(Buffer.from("0\r\n\r\n"));
    this.#socket.end();
  }

  async #slowly(body: Buffer, fault: { pieceBytes: number; pauseMs: number }): Promise<void> {
    for (let at = 0; at < body.length && !this.#socket.destroyed; at += fault.pieceBytes) {
      this.#body(body.subarray(at, at + fault.pieceBytes));
      await new Promise((resolve) => setTimeout(resolve, fault.pauseMs));
    }
    this.#finish();
  }
}
