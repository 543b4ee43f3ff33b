import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import type { Clock } from "../../clock.ts";
import { ForemanError } from "../../errors.ts";
import type { AppEnv } from "../app-env.ts";
import { askWhenRead, readRestAway } from "./body-on-demand.ts";
import { refuseUnsound } from "./front-door.ts";
import { addressProblem } from "./handed-address.ts";

/** A client's headers must come within this; Ollama sets no limit, and so invites slow floods. */
const headersTimeoutMs = 60_000;

/** Longer than the pools of common clients keep a socket, so that they close it, not we. */
const keepAliveTimeoutMs = 125_000;

/** What is being written when the server closes gets so long to reach its client. */
const closeGraceMs = 250;

/** Is given, when the server opens, what takes a connection in. */
export type Connections = (accept: (connection: Duplex) => void) => void;

type HttpServerOptions = {
  readonly app: Hono<AppEnv>;
  readonly clock: Clock;
  /** Who brings connections, in the place of an address that is listened on. */
  readonly connections?: Connections | undefined;
};

/** Node's server in front of the app, with the front door in between. */
export class HttpServer {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #connections: Connections | null;
  readonly #active = new Set<ServerResponse>();
  #closed: Promise<unknown> | null = null;

  constructor({ app, clock, connections }: HttpServerOptions) {
    this.#clock = clock;
    this.#connections = connections ?? null;
    const listener = getRequestListener(app.fetch, {
      autoCleanupIncoming: false,
      overrideGlobalObjects: false,
    });
    this.#server = createServer({
      headersTimeout: headersTimeoutMs,
      // Uploads of models take hours; what waits in the queue is bounded by its own rules.
      requestTimeout: 0,
      keepAliveTimeout: keepAliveTimeoutMs,
      // The front door counts the Host headers itself.
      requireHostHeader: false,
      noDelay: true,
    });
    // A client that shuts its sending half still gets what can be answered at once (watchClient).
    Object.assign(this.#server, { httpAllowHalfOpen: true });
    // Each pipelined request watches the socket that it shares with the others.
    this.#server.on("connection", (socket) => socket.setMaxListeners(0));
    const receive = (incoming: IncomingMessage, outgoing: ServerResponse) => {
      this.#count(outgoing);
      readRestAway(incoming, outgoing, clock);
      const refusal = refuseUnsound(incoming);
      if (refusal === null) void listener(incoming, outgoing);
      else turnAway(outgoing, refusal.statusCode, refusal.message);
    };
    this.#server.on("request", receive);
    this.#server.on("checkContinue", (incoming: IncomingMessage, outgoing: ServerResponse) => {
      askWhenRead(incoming, outgoing);
      receive(incoming, outgoing);
    });
    this.#server.on("checkExpectation", (_: IncomingMessage, outgoing: ServerResponse) => {
      this.#count(outgoing);
      turnAway(outgoing, 417, "417 expectation failed");
    });
  }

  /** The port that it listens on, which is a free one if 0 was asked for; 0 before. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** @throws ForemanError `config_invalid` when the address cannot be bound */
  async listen(host: string, port: number): Promise<void> {
    if (this.#connections !== null) {
      this.#connections((connection) => this.#accept(connection));
      return;
    }
    try {
      this.#server.listen(port, host);
      await once(this.#server, "listening");
    } catch (cause) {
      const message = `FOREMAN_ADDR: cannot listen on ${host}:${port} (${String(cause)})`;
      throw new ForemanError("config_invalid", message, { cause });
    }
  }

  /**
   * Takes over a socket that another process listens on.
   *
   * @throws ForemanError `config_invalid` when it is no socket that listens, or on another address
   * than this one: who may come in without a token, and by which Host, was decided by the address
   */
  async takeOver(fd: number, host: string, port: number): Promise<void> {
    try {
      this.#server.listen({ fd });
      await once(this.#server, "listening");
    } catch (cause) {
      const message = `foreman.socket passed on what cannot be listened on (${String(cause)})`;
      throw new ForemanError("config_invalid", message, { cause });
    }
    const problem = addressProblem(this.#server.address(), host, port);
    if (problem === null) return;
    await this.close();
    throw new ForemanError("config_invalid", problem);
  }

  /** Takes no more connections; those that there are go on. */
  leave(): void {
    this.#closed ??= new Promise((resolve) => this.#server.close(resolve));
  }

  /**
   * Resolves when what is being answered now has been answered; what comes later is not awaited.
   */
  async settled(): Promise<void> {
    await Promise.all(
      [...this.#active].map(
        (outgoing) => new Promise((resolve) => outgoing.once("close", resolve)),
      ),
    );
  }

  /** Stops listening and closes every connection, busy ones after a short grace. */
  async close(): Promise<void> {
    this.leave();
    this.#server.closeIdleConnections();
    await Promise.race([this.#closed, this.#clock.sleep(closeGraceMs)]);
    this.#server.closeAllConnections();
    await this.#closed;
  }

  #accept(connection: Duplex): void {
    if (this.#closed === null) this.#server.emit("connection", connection);
    else connection.destroy();
  }

  #count(outgoing: ServerResponse): void {
    this.#active.add(outgoing);
    outgoing.once("close", () => this.#active.delete(outgoing));
    // The time in which this one was to be taken does not count for one that was pipelined behind
    // it. Before Node's own listener, which gives an idle connection its keepAliveTimeout.
    outgoing.prependOnceListener("finish", () => outgoing.setTimeout(0));
  }
}

function turnAway(outgoing: ServerResponse, statusCode: number, message: string): void {
  outgoing.writeHead(statusCode, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": Buffer.byteLength(message),
    Connection: "close",
  });
  outgoing.end(message);
}
