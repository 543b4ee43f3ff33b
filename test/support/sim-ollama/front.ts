import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { judgeAccess } from "./access-policy.ts";
import { Exchange } from "./exchange.ts";
import { preempt } from "./fault-preempt.ts";
import { handlerOf } from "./handlers.ts";
import { inflate, Payload } from "./payload.ts";
import { matchRoute, type RouteMatch } from "./route-table.ts";
import type { SimCore } from "./sim-core.ts";
import { leakSlot } from "./slot-leak.ts";

const textPlain = [["Content-Type", "text/plain"]] as const;

/** What every request passes: routing, access, faults, the reading of the body, the handler. */
export class Front {
  readonly #sim: SimCore;
  readonly #exchanges = new Set<Exchange>();
  #lastId = 0;

  constructor(sim: SimCore) {
    this.#sim = sim;
  }

  /** `expectsContinue`: the client keeps its body back until it is asked for it. */
  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
  ): Promise<void> {
    const match = matchRoute(request.method ?? "", request.url ?? "");
    const exchange = this.#open(request, response, match);
    // Until the body is asked for, an answer ends the connection, with the body still outside.
    exchange.reply.isClosing = expectsContinue;
    try {
      if (match.kind !== "route") return this.#refuse(exchange, match);
      if (!this.#admit(exchange)) return;
      if (await preempt(this.#sim, exchange, true)) return;
      await this.#handle(exchange, response, expectsContinue);
      // Half-closed and not answered: nobody waits for it.
      if (exchange.isGone && !exchange.reply.isEnded) response.destroy();
    } catch (error) {
      process.stderr.write(`sim-ollama: ${String(error)}\n`);
      // As Ollama answers a panic.
      if (exchange.reply.statusCode === 0 && !exchange.isGone) exchange.reply.empty(500);
      else response.destroy();
      throw error;
    }
  }

  /** The client ended its side: Go takes that for its leaving. */
  halfClosed(socket: unknown): void {
    for (const exchange of this.#exchanges) {
      if (exchange.request.socket === socket) exchange.leave();
    }
  }

  #open(request: IncomingMessage, response: ServerResponse, match: RouteMatch): Exchange {
    this.#lastId += 1;
    const [route, parameter] =
      match.kind === "route" ? [match.route, match.parameter] : [request.url ?? "", ""];
    const exchange = new Exchange(`r${this.#lastId}`, request, response, route, parameter);
    this.#exchanges.add(exchange);
    exchange.whenGone(() => this.#note("disconnect", exchange));
    response.once("close", () => {
      exchange.leave();
      exchange.close();
      this.#exchanges.delete(exchange);
      this.#note("response-end", exchange);
    });
    return exchange;
  }

  #refuse(exchange: Exchange, match: Exclude<RouteMatch, { kind: "route" }>) {
    const { reply, request } = exchange;
    this.#noteRequest(exchange, null);
    request.resume();
    switch (match.kind) {
      case "malformed":
        return this.#rejectProtocol(exchange);
      case "redirect":
        return redirect(exchange, match.status, match.location);
      case "wrong-method":
        reply.addHeader("Allow", match.allow);
        if (this.#admit(exchange)) reply.body(405, "405 method not allowed", textPlain);
        return;
      case "unknown":
        if (this.#admit(exchange)) reply.body(404, "404 page not found", textPlain);
    }
  }

  /** As Go's server does before any handler: no Date, no length, and the end. */
  #rejectProtocol({ request, reply }: Exchange): void {
    const head = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n";
    request.socket.write(`${head}Connection: close\r\n\r\n400 Bad Request`);
    reply.cut("close");
  }

  /** False: CORS or Host had the last word. */
  #admit(exchange: Exchange): boolean {
    const access = judgeAccess(exchange.request, this.#sim.settings.origins);
    for (const [name, value] of access.headers) exchange.reply.addHeader(name, value);
    if (access.status === null) return true;
    exchange.request.resume();
    exchange.reply.empty(access.status);
    return false;
  }

  async #handle(
    exchange: Exchange,
    response: ServerResponse,
    expectsContinue: boolean,
  ): Promise<void> {
    const { request, route } = exchange;
    const handler = handlerOf(route, request.method ?? "");
    if (expectsContinue) response.writeContinue();
    exchange.reply.isClosing = false;
    // Blobs are gigabytes: their handler reads them as they come.
    const isUpload = route === "/api/blobs/:digest";
    const body = isUpload ? Buffer.alloc(0) : await readBody(exchange);
    if (!isUpload && !request.complete) return leakSlot(this.#sim, exchange, body);
    const bytes = inflate(body, route, request.headers["content-encoding"]);
    const payload = new Payload(bytes ?? body);
    exchange.model = payload.model;
    this.#noteRequest(exchange, isUpload ? null : body);
    if (await preempt(this.#sim, exchange, false)) return;
    if (bytes === null) {
      return exchange.reply.json(400, { error: "invalid input: magic number mismatch" });
    }
    await handler({ sim: this.#sim, exchange, payload });
  }

  #noteRequest(exchange: Exchange, body: Buffer | null): void {
    const { request, model } = exchange;
    this.#sim.journal.record({
      kind: "request",
      requestId: exchange.id,
      route: exchange.route,
      ...(model !== null && { model }),
      method: request.method ?? "",
      path: request.url ?? "",
      rawHeaders: request.rawHeaders,
      ...(body !== null && {
        bodyBytes: body.length,
        bodySha256: createHash("sha256").update(body).digest("hex"),
      }),
    });
  }

  #note(kind: "disconnect" | "response-end", exchange: Exchange): void {
    const { reply, model } = exchange;
    const outcome = exchange.isGone ? "cancelled" : "complete";
    this.#sim.journal.record({
      kind,
      requestId: exchange.id,
      route: exchange.route,
      ...(model !== null && { model }),
      ...(kind === "response-end" && { statusCode: reply.statusCode, outcome }),
    });
  }
}

/** gin's redirect: with a page for GET and HEAD, without a type for the others. */
function redirect(exchange: Exchange, status: 301 | 307, location: string): void {
  const isPage = ["GET", "HEAD"].includes(exchange.request.method ?? "");
  const words = status === 301 ? "Moved Permanently" : "Temporary Redirect";
  const isHead = exchange.request.method === "HEAD";
  const page = `<a href="${location.replaceAll("&", "&amp;")}">${words}</a>.\n\n`;
  const type = ["Content-Type", "text/html; charset=utf-8"] as const;
  const headers = [["Location", location] as const, ...(isPage ? [type] : [])];
  exchange.reply.body(status, isPage && !isHead ? page : "", headers);
}

/** What came of the body; the request is incomplete when the client left before its end. */
async function readBody(exchange: Exchange): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const { request } = exchange;
  await new Promise<void>((resolve) => {
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.once("end", resolve);
    request.once("close", resolve);
  });
  if (!request.complete) exchange.leave();
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
}
