import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

type Asked = {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
  /** Parsed; null for none. */
  readonly body: Record<string, unknown> | null;
};

/** What becomes of a request in the place of its answer. */
export type OpenaiFault =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The connection is reset: before the answer, or in its middle. */
  | { readonly kind: "reset" | "cut" }
  /** No answer ever comes. */
  | { readonly kind: "hang" };

/** Answers a request by a fault; null lets it be answered well. */
type Script = (asked: Asked) => OpenaiFault | null;

/** A hosted server that speaks as much of OpenAI's API as foreman asks it for. */
export class SimOpenai {
  /** What was asked, in order. */
  readonly asked: Asked[] = [];
  models = ["nemotron", "remote_default"];
  script: Script = () => null;
  /** Answers are held back until this resolves. */
  gate: Promise<void> | null = null;
  /** Chats under way, now and at most. */
  running = 0;
  runningMax = 0;
  /** Connections that the other side closed before their answer was out. */
  abandoned = 0;
  readonly #server: Server = createServer(
    (request, response) => void this.#serve(request, response),
  );

  async listen(port = 0): Promise<this> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get chats(): Asked[] {
    return this.asked.filter(({ path }) => path === "/v1/chat/completions");
  }

  /** Ends it as a process that is killed: what runs is cut, and nobody is let in. */
  async stop(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, "close") : null;
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const text = Buffer.concat(pieces).toString();
    const asked: Asked = {
      method: request.method ?? "",
      path: request.url ?? "",
      authorization: request.headers.authorization ?? null,
      body: text === "" ? null : (JSON.parse(text) as Record<string, unknown>),
    };
    this.asked.push(asked);
    response.on("close", () => {
      if (!response.writableFinished) this.abandoned += 1;
    });
    const fault = this.script(asked);
    if (fault !== null) this.#fail(response, fault);
    else if (asked.path === "/v1/models") this.#list(response);
    else await this.#complete(response, asked);
  }

  #list(response: ServerResponse): void {
    const data = this.models.map((id) => ({ id, object: "model", owned_by: "sim" }));
    send(response, { object: "list", data });
  }

  async #complete(response: ServerResponse, { body }: Asked): Promise<void> {
    this.running += 1;
    this.runningMax = Math.max(this.runningMax, this.running);
    if (this.gate !== null) await this.gate;
    this.running -= 1;
    const messages = (body?.messages ?? []) as readonly { readonly content: unknown }[];
    send(response, {
      id: "chatcmpl-1",
      object: "chat.completion",
      model: body?.model,
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: `you said: ${String(messages.at(-1)?.content)}` },
          finish_reason: "stop",
        },
      ],
      usage: { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 },
    });
  }

  #fail(response: ServerResponse, fault: OpenaiFault): void {
    switch (fault.kind) {
      case "answer":
        response.writeHead(fault.status, { "Content-Type": "application/json", ...fault.headers });
        response.end(fault.body ?? "");
        return;
      case "reset":
        response.socket?.resetAndDestroy();
        return;
      case "cut":
        response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "1000" });
        response.write('{"choices":[', () => response.socket?.resetAndDestroy());
        return;
      case "hang":
        return;
    }
  }
}

function send(response: ServerResponse, document: unknown): void {
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify(document));
}

/** The server for one test, stopped when the test ends. */
export async function startSimOpenai(port = 0): Promise<SimOpenai> {
  const sim = await new SimOpenai().listen(port);
  onTestFinished(() => sim.stop());
  return sim;
}

/** Faults for the first requests to that path, one each; then all is well. */
export function first(path: string, ...faults: readonly OpenaiFault[]): Script {
  const left = [...faults];
  return (asked) => (asked.path === path ? (left.shift() ?? null) : null);
}

/** A fault for each request to that path. */
export function always(path: string, fault: OpenaiFault): Script {
  return (asked) => (asked.path === path ? fault : null);
}
