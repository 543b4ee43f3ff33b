/** Differences that a replay against a real Ollama found, each with its cure; docs/conformance.md. */
import { expect, test } from "vitest";
import { ask, headerIn } from "../support/ask.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const post = (path: string, body: object) => {
  const json = JSON.stringify(body);
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${json.length}\r\n\r\n${json}`;
};

test("ps shows what was loaded and unloaded without foreman's doing", async () => {
  const sim = await startSim();
  const foreman = await startForeman(sim.url);
  const loaded = async () => {
    const { models } = JSON.parse((await ask(foreman.port, get("/api/ps")))?.body ?? "") as {
      models: readonly { name: string }[];
    };
    return models.map(({ name }) => name);
  };
  expect(await loaded()).toEqual([]);

  await ask(sim.port, post("/api/generate", { model: "llama3.2" }));
  const afterLoad = await loaded();
  await ask(sim.port, post("/api/generate", { model: "llama3.2", keep_alive: 0 }));
  const afterUnload = await loaded();

  expect({ afterLoad, afterUnload }).toEqual({
    afterLoad: ["llama3.2:latest"],
    afterUnload: [],
  });
});

test("other methods on / and paths that clean up to Ollama's are Ollama's to answer", async () => {
  const sim = await startSim();
  const foreman = await startForeman(sim.url);
  const seen = async (bytes: string) => {
    const answer = await ask(foreman.port, bytes);
    return [answer?.statusCode, headerIn(answer, "allow"), headerIn(answer, "location")];
  };

  expect(await seen(post("/", {}))).toEqual([405, "HEAD, GET", null]);
  expect(await seen(get("/./api/tags"))).toEqual([307, null, "/api/tags"]);
  expect(await seen(post("/./api/chat", {}))).toEqual([307, null, "/api/chat"]);
  expect(await seen(get("//"))).toEqual([307, null, "/"]);
  expect(await seen(get("//nowhere"))).toEqual([404, null, null]);
});

test("a refused stream of Responses or Messages bears the header that Ollama sets first", async () => {
  const sim = await startSim();
  const foreman = await startForeman(sim.url);
  const seen = async (path: string, body: object) => {
    const answer = await ask(foreman.port, post(path, { model: "nope", max_tokens: 5, ...body }));
    return [answer?.statusCode, headerIn(answer, "cache-control")];
  };
  const messages = [{ role: "user", content: "hi" }];

  expect(await seen("/v1/responses", { input: "hi", stream: true })).toEqual([404, "no-cache"]);
  expect(await seen("/v1/messages", { messages, stream: true })).toEqual([404, "no-cache"]);
  expect(await seen("/v1/responses", { input: "hi" })).toEqual([404, null]);
  expect(await seen("/v1/chat/completions", { messages, stream: true })).toEqual([404, null]);
});

test("what is no form is refused in Ollama's words on the route that wants one", async () => {
  const sim = await startSim();
  const foreman = await startForeman(sim.url);

  const direct = await ask(sim.port, post("/v1/audio/transcriptions", {}));
  const answer = await ask(foreman.port, post("/v1/audio/transcriptions", {}));

  expect(direct?.statusCode).toBe(400);
  expect([answer?.statusCode, answer?.body]).toEqual([direct?.statusCode, direct?.body]);
});
