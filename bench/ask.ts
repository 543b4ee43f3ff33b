import { Client, type Dispatcher } from "undici";

const newline = 0x0a;

export type Ask = {
  readonly path: string;
  readonly body: string;
  /** How the target shall answer: see `fast-target.ts`. */
  readonly orders?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called for each piece of the answer; the controller can stop the reading. */
  readonly onPiece?: (controller: Dispatcher.DispatchController, bytes: Buffer) => void;
};

export type Answer = {
  readonly statusCode: number;
  /** From the request to the head of the answer, which comes with its first line, in ms. */
  readonly headMs: number;
  readonly totalMs: number;
  /** How long foreman says that it waited there, in whole ms; null from anybody else. */
  readonly queuedMs: number | null;
  readonly bodyBytes: number;
  readonly lines: number;
};

const json = { "content-type": "application/json" };

/** One kept connection, one request at a time. */
export function connectTo(origin: string): Client {
  return new Client(origin, { headersTimeout: 0, bodyTimeout: 0, pipelining: 1 });
}

/** Sends a request and resolves when its answer is whole; rejects when it breaks off. */
export function ask(client: Client, request: Ask): Promise<Answer> {
  const { body, headers: own = {}, onPiece, orders = {}, path } = request;
  return new Promise((resolve, reject) => {
    const sentAtMs = performance.now();
    const answer = { statusCode: 0, headMs: 0, totalMs: 0, bodyBytes: 0, lines: 0 };
    let queuedMs: number | null = null;
    const headers = Object.entries(orders).flatMap(([name, value]) => [`x-bench-${name}`, value]);
    client.dispatch(
      {
        method: "POST",
        path,
        body,
        headers: [...Object.entries({ ...json, ...own }).flat(), ...headers],
      },
      {
        onRequestStart: () => {},
        onResponseStart: (_controller, statusCode, { "x-foreman-queued-ms": queued }) => {
          queuedMs = queued === undefined ? null : Number(queued);
          answer.statusCode = statusCode;
          answer.headMs = performance.now() - sentAtMs;
        },
        onResponseData: (controller, bytes) => {
          answer.bodyBytes += bytes.length;
          answer.lines += countLines(bytes);
          onPiece?.(controller, bytes);
        },
        onResponseEnd: () =>
          resolve({ ...answer, queuedMs, totalMs: performance.now() - sentAtMs }),
        onResponseError: (_controller, cause) => reject(cause),
      },
    );
  });
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  let at = bytes.indexOf(newline);
  while (at !== -1) {
    lines += 1;
    at = bytes.indexOf(newline, at + 1);
  }
  return lines;
}

/** A chat as a program sends it, some 2 KB of it. */
export const chatBody = JSON.stringify({
  model: "bench-chat",
  messages: [
    { role: "system", content: "You answer in one sentence. ".repeat(40) },
    { role: "user", content: "Why does a queue in front of one GPU help? ".repeat(20) },
  ],
  options: { temperature: 0.2, num_ctx: 4096 },
});

export const embedBody = JSON.stringify({
  model: "bench-embed",
  input: "Foreman lets embeddings pass while chats wait.",
});
