import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { parseWireAnswer, type WireAnswer } from "../wire-answer.ts";
import { type SimOllama, startSimOllama } from "./sim-ollama.ts";
import type { SimOptions } from "./sim-settings.ts";

/** An answer with its status as a number. */
export type Asked = WireAnswer & { readonly status: number };

/** A sim for one test, as it is by default but for the options. */
export async function simFor(options: SimOptions = {}): Promise<SimOllama> {
  const sim = await startSimOllama(options);
  onTestFinished(() => sim.stop());
  return sim;
}

/** Sends a whole request on a connection of its own and takes the answer apart. */
export async function ask(
  sim: SimOllama,
  method: string,
  path: string,
  body?: unknown,
  headers: readonly string[] = [],
): Promise<Asked> {
  const socket = dial(sim);
  const pieces: Buffer[] = [];
  socket.on("data", (piece) => pieces.push(piece));
  socket.write(requestText(method, path, body, headers));
  await new Promise((resolve) => socket.once("close", resolve));
  const answer = parseWireAnswer(Buffer.concat(pieces).toString("latin1"), method === "HEAD");
  return { ...answer, status: Number(answer.statusLine.split(" ")[1]) };
}

/** A connection whose errors are taken for its end; closed with the test. */
export function dial(sim: SimOllama): Socket {
  const socket = connect({ port: sim.port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

/** The bytes of a request that ends its connection. A body that is no string is sent as JSON. */
export function requestText(
  method: string,
  path: string,
  body?: unknown,
  headers: readonly string[] = [],
): string {
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const length = text === undefined ? [] : [`Content-Length: ${Buffer.byteLength(text)}`];
  const host = headers.some((header) => header.startsWith("Host:")) ? [] : ["Host: localhost"];
  const head = [`${method} ${path} HTTP/1.1`, ...host, "Connection: close", ...headers, ...length];
  return `${head.join("\r\n")}\r\n\r\n${text ?? ""}`;
}

/** A POST by fetch, for tests that look at no more than status and JSON. */
export async function post(sim: SimOllama, path: string, body: unknown): Promise<Response> {
  return fetch(sim.url + path, { method: "POST", body: JSON.stringify(body) });
}

/** The JSON of a POST's answer, as the test expects it to be. */
export async function postJson<Json>(sim: SimOllama, path: string, body: unknown): Promise<Json> {
  const answer = await post(sim, path, body);
  return (await answer.json()) as Json;
}

/** A chat of one message. */
export function chatBody(model: string, content = "hello", more: object = {}): object {
  return { model, messages: [{ role: "user", content }], ...more };
}
