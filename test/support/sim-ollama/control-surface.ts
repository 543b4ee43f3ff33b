import type { IncomingMessage, ServerResponse } from "node:http";
import type { FaultRule } from "./fault.ts";
import type { FaultHandle } from "./fault-rules.ts";
import type { ModelInit } from "./model-spec.ts";
import type { SimOllama } from "./sim-ollama.ts";

const prefix = "/_sim/";

/**
 * The sim's own routes, for a test in another process: POST /_sim/fail (a rule; answers its id),
 * /_sim/release and /_sim/remove ({id}), /_sim/clear, /_sim/restart, /_sim/down ({ms}: up again
 * after so long), /_sim/add-model, /_sim/clear-journal; GET /_sim/journal (NDJSON), /_sim/loaded.
 */
export class ControlSurface {
  readonly #sim: SimOllama;
  readonly #handles = new Map<number, FaultHandle>();

  constructor(sim: SimOllama) {
    this.#sim = sim;
  }

  takes(request: IncomingMessage): boolean {
    return request.url?.startsWith(prefix) ?? false;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const verb = (request.url ?? "").slice(prefix.length);
    if (verb === "journal") return this.#sendJournal(response);
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const text = Buffer.concat(pieces).toString("utf8");
    try {
      const answer = this.#act(verb, text === "" ? {} : JSON.parse(text), response);
      const status = answer === null ? 404 : 200;
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(`${JSON.stringify(answer ?? { error: `no such verb: ${verb}` })}\n`);
    } catch (error) {
      response.writeHead(400, { "Content-Type": "application/json" });
      response.end(`${JSON.stringify({ error: String(error) })}\n`);
    }
  }

  /** Null: there is no such verb. */
  #act(verb: string, body: Readonly<Record<string, unknown>>, response: ServerResponse): unknown {
    switch (verb) {
      case "fail":
        return { id: this.#lay(body as FaultRule) };
      case "release":
      case "remove": {
        const handle = this.#handles.get(Number(body.id));
        if (verb === "release") handle?.release();
        else handle?.remove();
        return { ok: handle !== undefined, hitCount: handle?.hitCount ?? 0 };
      }
      case "clear":
        this.#sim.clearFaults();
        return { ok: true };
      case "clear-journal":
        this.#sim.journal.clear();
        return { ok: true };
      case "add-model":
        return this.#sim.library.add(body as ModelInit);
      case "loaded":
        return { loaded: this.#sim.loaded };
      case "restart":
      case "down":
        // The answer goes out first: going down breaks this connection too.
        response.once("finish", () => void this.#leave(Number(body.ms ?? 0)));
        return { ok: true };
      default:
        return null;
    }
  }

  #lay(rule: FaultRule): number {
    if (typeof rule.fault?.kind !== "string") throw new Error("a rule needs a fault");
    const handle = this.#sim.fail(rule);
    this.#handles.set(handle.id, handle);
    return handle.id;
  }

  async #leave(ms: number): Promise<void> {
    await this.#sim.down();
    await new Promise((resolve) => setTimeout(resolve, ms));
    await this.#sim.up();
  }

  #sendJournal(response: ServerResponse): void {
    response.writeHead(200, { "Content-Type": "application/x-ndjson" });
    response.end(this.#sim.journal.events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  }
}
