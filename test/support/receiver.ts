import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A webhook's document, as the contract names its fields. */
type WebhookDocument = {
  readonly job_id: string;
  readonly state: string;
  readonly previous_state: string | null;
  readonly timestamp: string;
  readonly model: string;
  readonly attempt: number;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly result: string | null;
  readonly artifacts: readonly { readonly name: string; readonly url: string }[];
};

export type Received = {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly document: WebhookDocument;
};

type Answers = (received: Received, response: ServerResponse) => void;

/** Someone's webhook endpoint: an HTTP server that keeps what it was sent. */
export class Receiver {
  /** In order of their whole arrival, whatever was answered. */
  readonly received: Received[] = [];
  /** How it answers; 204 unless a test says otherwise. */
  answers: Answers = takes;
  #server: Server = this.#serve();
  #port = 0;

  /** Listens on loopback until the test ends. */
  static async open(answers: Answers = takes): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.answers = answers;
    await receiver.up();
    onTestFinished(() => receiver.down());
    return receiver;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hooks?from=foreman`;
  }

  /** The states told, in the order of arrival. */
  get states(): readonly string[] {
    return this.received.map(({ document }) => document.state);
  }

  /** The distinct messages, by their ids, in the order of their first arrival. */
  get ids(): readonly string[] {
    return [...new Set(this.received.map(({ headers }) => String(headers["webhook-id"])))];
  }

  /** Listens, at the port that it had before. */
  async up(): Promise<void> {
    this.#server = this.#serve().listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses connections, and breaks those that are open. */
  async down(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  #serve(): Server {
    return createServer((request, response) => void this.#take(request, response));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of request) pieces.push(piece as Buffer);
    } catch {
      return;
    }
    const body = Buffer.concat(pieces);
    const document = JSON.parse(body.toString("utf8")) as WebhookDocument;
    const received = { path: request.url ?? "", headers: request.headers, body, document };
    this.received.push(received);
    this.answers(received, response);
  }
}

/** Says that it has it. */
export const takes: Answers = (_received, response) => void response.writeHead(204).end();

/** Takes the connection and the message, and says nothing. */
export const staysSilent: Answers = () => {};

/** Answers with that status. */
export const answersWith =
  (status: number, headers: Record<string, string> = {}): Answers =>
  (_received, response) =>
    void response.writeHead(status, headers).end();
