import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { isSurvey } from "./asked.ts";

/** The one model that a scripted target claims to have. */
export const scriptedModel = "scripted:latest";

const model = {
  name: scriptedModel,
  model: scriptedModel,
  modified_at: "2026-11-20T22:20:11.723321815Z",
  size: 1_000,
  digest: "5".repeat(64),
  details: { family: "llama", families: ["llama"] },
  capabilities: ["completion"],
};

const polled: Readonly<Record<string, unknown>> = {
  "/api/version": { version: "0.33.0" },
  "/api/tags": { models: [model] },
  "/api/ps": { models: [] },
  "/v1/models": { object: "list", data: [] },
};

const shown = { modelfile: `FROM /models/blobs/sha256-${"6".repeat(64)}\n` };

type Script = (request: IncomingMessage, response: ServerResponse, body: Buffer) => unknown;

/**
 * A target whose answers are written out by the test, byte for byte if need be, where the simulated
 * Ollama only knows sensible ones. It answers the polls itself. Stopped when the test ends.
 */
export async function startScriptedTarget(script: Script): Promise<string> {
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const { rawHeaders, url = "" } = request;
    const known = isSurvey(url, rawHeaders) ? shown : polled[url];
    if (known === undefined) await script(request, response, Buffer.concat(pieces));
    else response.setHeader("Content-Type", "application/json").end(JSON.stringify(known));
  });
  server.on("connection", (socket) => socket.on("error", () => {}));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
