/**
 * A target that costs next to nothing, so that it is never what a benchmark measures: raw sockets,
 * answers made beforehand, no model. It is told by headers how to answer (`TargetOrders`), keeps a
 * journal of its generations by its own clock, and prints its port as its first line.
 */
import { createServer, type Socket } from "node:net";
import { parseArgs } from "node:util";
import { Generation } from "./generation.ts";
import { type Speech, speeches } from "./speech.ts";
import { fixedAnswers, wholeAnswer } from "./target-answers.ts";

type Request = {
  readonly path: string;
  readonly order: (name: string) => string | null;
};

/** How it answers who orders nothing: jobs of a backlog bring no headers of the benchmark's. */
const { values: pace } = parseArgs({
  options: {
    lines: { type: "string", default: "5" },
    "every-ms": { type: "string", default: "0" },
  },
});

const generations = new Set<Generation>();
const journal: Generation[] = [];
const headEnd = Buffer.from("\r\n\r\n");
/** Of a chunked one, with the line before: no JSON has it. */
const bodyEnd = Buffer.from("\r\n0\r\n\r\n");

class Connection {
  readonly #socket: Socket;
  #held: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => this.#receive(bytes));
    socket.on("error", () => socket.destroy());
  }

  /** Of a request whose body begins at `start`, in bytes; null: its end has not come yet. */
  #lengthOf(head: string, start: number): number | null {
    if (headerOf(head, "transfer-encoding") !== "chunked") {
      return start + Number(headerOf(head, "content-length") ?? 0);
    }
    const end = this.#held.indexOf(bodyEnd, start);
    return end === -1 ? null : end + bodyEnd.length;
  }

  #receive(bytes: Buffer): void {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    for (;;) {
      const end = this.#held.indexOf(headEnd);
      if (end === -1) return;
      const head = this.#held.toString("latin1", 0, end);
      const total = this.#lengthOf(head, end + headEnd.length);
      if (total === null || this.#held.length < total) return;
      this.#held = this.#held.subarray(total);
      const path = head.slice(head.indexOf(" ") + 1, head.indexOf(" HTTP/"));
      answer(this.#socket, { path, order: (name) => headerOf(head, `x-bench-${name}`) });
    }
  }
}

function headerOf(head: string, lowerName: string): string | null {
  const found = head.toLowerCase().indexOf(`\r\n${lowerName}:`);
  if (found === -1) return null;
  const start = found + lowerName.length + 3;
  const end = head.indexOf("\r\n", start);
  return head.slice(start, end === -1 ? undefined : end).trim();
}

function answer(socket: Socket, request: Request): void {
  const { order, path } = request;
  const { openai, native } = speeches;
  if (path === "/api/chat") generate(socket, request, native);
  else if (path === "/v1/chat/completions") generate(socket, request, openai);
  else if (path === "/bench/journal") tellJournal(socket);
  else if (path === "/bench/release") release(socket);
  else if (path.startsWith("/bench/pace/")) changePace(socket, path.split("/"));
  else {
    const bytes = fixedAnswers.get(path) ?? wholeAnswer(404, "text/plain", "404 page not found");
    const delayMs = Number(order("delay-ms") ?? 0);
    if (delayMs > 0) setTimeout(() => socket.write(bytes), delayMs);
    else socket.write(bytes);
  }
}

function generate(socket: Socket, { order }: Request, speech: Speech): void {
  const generation = new Generation(socket, {
    speech,
    label: order("label") ?? "",
    lines: Number(order("lines") ?? pace.lines),
    everyMs: Number(order("every-ms") ?? pace["every-ms"]),
    lineBytes: Number(order("line-bytes") ?? 120),
    isHeld: order("hold") !== null,
    onOver: () => generations.delete(generation),
  });
  generations.add(generation);
  journal.push(generation);
  generation.start();
}

/** From now on, for who orders nothing: `/bench/pace/LINES/EVERY_MS`. */
function changePace(socket: Socket, [, , , lines = "5", everyMs = "0"]: readonly string[]): void {
  Object.assign(pace, { lines, "every-ms": everyMs });
  socket.write(wholeAnswer(200, "text/plain", "changed"));
}

/** What was generated since the last question, in order of start. */
function tellJournal(socket: Socket): void {
  const text = JSON.stringify(journal.map((generation) => generation.span()));
  journal.length = 0;
  socket.write(wholeAnswer(200, "application/json", text));
}

function release(socket: Socket): void {
  for (const generation of generations) generation.release();
  socket.write(wholeAnswer(200, "text/plain", "released"));
}

const server = createServer((socket) => new Connection(socket));
server.listen({ host: "127.0.0.1", port: 0, backlog: 8192 }, () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  process.stdout.write(`${address.port}\n`);
});
process.on("SIGTERM", () => process.exit(0));
