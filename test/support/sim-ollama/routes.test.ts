import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { headerOf } from "../wire-answer.ts";
import { ask, chatBody, post, simFor } from "./ask.ts";

const plain = "text/plain";
const json = "application/json; charset=utf-8";

/** Statuses, types and bodies as a real Ollama 0.33 gave them. */
describe("the routes", () => {
  test.each([
    ["GET", "/", 200, `${plain}; charset=utf-8`, "Ollama is running"],
    ["HEAD", "/", 200, `${plain}; charset=utf-8`, ""],
    ["GET", "/api/version", 200, json, '{"version":"0.33.0"}'],
    ["HEAD", "/api/ps", 405, plain, ""],
    ["GET", "/api/chat", 405, plain, "405 method not allowed"],
    ["GET", "/metrics", 404, plain, "404 page not found"],
    ["GET", "/api/Tags", 404, plain, "404 page not found"],
    ["POST", "/v1/messages/count_tokens", 404, plain, "404 page not found"],
    ["GET", "/v1/models/ns%2Fm", 404, plain, "404 page not found"],
    ["GET", "/api/ps", 200, json, '{"models":[]}'],
    ["GET", "/api/status", 200, json, '{"cloud":{"disabled":false,"source":"none"}}'],
  ])("answer %s %s with %i", async (method, path, status, type, body) => {
    const sim = await simFor();

    const answer = await ask(sim, method, path);

    expect(answer.status).toBe(status);
    expect([headerOf(answer.headers, "content-type"), answer.body]).toEqual([type, body]);
  });

  test("write their headers in Go's order and spelling, and none of Node's", async () => {
    const sim = await simFor();

    const origin = ["Origin: http://localhost:3000"];
    const answer = await ask(sim, "GET", "/api/version", undefined, origin);

    const names = answer.headers.map(([name]) => name);
    const common = ["Access-Control-Allow-Origin", "Content-Type", "Vary", "Date"];
    expect(names).toEqual([...common, "Content-Length", "Connection"]);
  });

  test("send a small answer with its length and a larger one in one chunk", async () => {
    const models = Array.from({ length: 12 }, (_, index) => ({ name: `m${index}` }));
    const sim = await simFor({ models });

    const small = await ask(sim, "GET", "/api/ps");
    const large = await ask(sim, "GET", "/api/tags");
    const head = await ask(sim, "HEAD", "/api/tags");

    expect([small.framing, large.framing, large.chunks.length]).toEqual(["length", "chunked", 1]);
    expect(headerOf(head.headers, "content-length")).toBe(null);
  });

  test.each([
    ["GET", "/api/tags/", 301, "/api/tags"],
    ["POST", "/api/chat/?a=b", 307, "/api/chat?a=b"],
    ["GET", "//api/tags", 307, "/api/tags"],
    ["POST", "/api/./chat", 307, "/api/chat"],
  ])("redirect %s %s with %i", async (method, path, status, location) => {
    const sim = await simFor();

    const answer = await ask(sim, method, path);

    expect(answer.status).toBe(status);
    expect(headerOf(answer.headers, "location")).toBe(location);
  });

  test("say which methods there are", async () => {
    const sim = await simFor();

    const answer = await ask(sim, "PUT", "/api/tags", "");

    expect(headerOf(answer.headers, "allow")).toBe("HEAD, GET");
  });

  test.each([
    ["Host: example.com", 403],
    ["Host: foo.localhost:1", 200],
    ["Origin: http://evil.example", 403],
    ["Origin: chrome-extension://abc", 403],
    ["Origin: app://x", 200],
  ])("judge %s with %i and no body", async (header, status) => {
    const sim = await simFor();

    const answer = await ask(sim, "GET", "/api/ps", undefined, [header]);

    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.body).toBe("");
  });

  test("answer a preflight from an allowed origin", async () => {
    const sim = await simFor();

    const origin = ["Origin: http://localhost:3000"];
    const answer = await ask(sim, "OPTIONS", "/api/chat", undefined, origin);

    expect(answer.status).toBe(204);
    expect(headerOf(answer.headers, "access-control-max-age")).toBe("43200");
    expect(headerOf(answer.headers, "allow")).toBe("POST");
  });

  test("match names as Ollama does, and echo them as they were sent", async () => {
    const sim = await simFor();

    for (const model of ["llama3.2", "LLAMA3.2:Latest", "registry.ollama.ai/library/llama3.2"]) {
      const answer = await post(sim, "/api/chat", chatBody(model, "hi", { stream: false }));
      expect(await answer.json()).toMatchObject({ model, done: true });
    }
  });

  test.each([
    ["/api/chat", 400, '"nomic-embed-text" does not support chat'],
    ["/api/generate", 400, '"nomic-embed-text" does not support generate'],
  ])("refuse generation by an embedding model at %s", async (path, status, error) => {
    const sim = await simFor();

    const body = chatBody("nomic-embed-text", "hi", { prompt: "hi" });
    const answer = await post(sim, path, body);

    expect([answer.status, await answer.json()]).toEqual([status, { error }]);
  });

  test("refuse tools, thinking and options that do not fit", async () => {
    const sim = await simFor();
    const tools = [{ type: "function", function: { name: "f" } }];

    const noTools = await post(sim, "/api/chat", chatBody("gemma3:4b", "hi", { tools }));
    const noThink = await post(sim, "/api/chat", chatBody("gemma3:4b", "hi", { think: true }));
    const options = { num_ctx: "4096" };
    const noOption = await post(sim, "/api/chat", chatBody("gemma3:4b", "hi", { options }));

    const fullName = "registry.ollama.ai/library/gemma3:4b";
    expect(await noTools.json()).toEqual({ error: `${fullName} does not support tools` });
    expect(await noThink.json()).toEqual({ error: '"gemma3:4b" does not support thinking' });
    const error = 'option "num_ctx" must be of type integer';
    expect([noOption.status, await noOption.json()]).toEqual([500, { error }]);
  });

  test("answer a :cloud model without a runner", async () => {
    const sim = await simFor();

    const answer = await post(sim, "/api/chat", chatBody("gpt-oss:120b-cloud"));

    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('"done":true');
    expect(sim.loaded).toEqual([]);
  });

  test("keep a blob by its hash, refuse a wrong one, and make a model of it", async () => {
    const sim = await simFor();
    const blob = "weights";
    const digest = `sha256:${createHash("sha256").update(blob).digest("hex")}`;
    const wrong = `sha256:${"0".repeat(64)}`;

    const statuses = [
      await ask(sim, "HEAD", `/api/blobs/${digest}`),
      await ask(sim, "POST", `/api/blobs/${digest}`, blob),
      await ask(sim, "POST", `/api/blobs/${digest}`, blob),
      await ask(sim, "POST", `/api/blobs/${wrong}`, blob),
      await ask(sim, "POST", "/api/create", { model: "mine", files: { "m.gguf": digest } }),
    ].map(({ status }) => status);
    const answer = await post(sim, "/api/generate", { model: "mine" });

    expect(statuses).toEqual([404, 201, 200, 400, 200]);
    expect(await answer.json()).toMatchObject({ done_reason: "load" });
  });

  test("copy, delete and pull models", async () => {
    const sim = await simFor({ catalogue: [{ name: "far:1b" }], pullSteps: 2 });

    const copied = await ask(sim, "POST", "/api/copy", { source: "qwen3:8b", destination: "q" });
    const deleted = await ask(sim, "DELETE", "/api/delete", { model: "gemma3:4b" });
    const pulled = await ask(sim, "POST", "/api/pull", { model: "far:1b" });
    const failed = await ask(sim, "POST", "/api/pull", { model: "nowhere" });

    expect([copied.body, deleted.body, deleted.framing]).toEqual(["", "", "length"]);
    expect(pulled.chunks.at(0)).toBe('{"status":"pulling manifest"}\n');
    expect(pulled.chunks.at(-1)).toBe('{"status":"success"}\n');
    expect(failed.chunks.at(-1)).toContain('{"error":"pull model manifest:');
    expect(sim.library.list().map(({ name }) => name)).toEqual([
      "far:1b",
      "q:latest",
      "nomic-embed-text:latest",
      "qwen3:8b",
      "llama3.2:latest",
    ]);
  });
});
