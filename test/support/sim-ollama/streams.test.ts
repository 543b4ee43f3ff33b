import { describe, expect, test } from "vitest";
import { headerOf, type WireAnswer } from "../wire-answer.ts";
import { ask, chatBody, post, postJson, simFor } from "./ask.ts";

const models = [
  { name: "m", tokens: 3, tokenMs: 0, loadMs: 0, capabilities: ["completion", "tools"] as const },
  { name: "thinker", tokens: 2, tokenMs: 0, capabilities: ["completion", "thinking"] as const },
  { name: "embedder", tokenMs: 0, embeddingLength: 4, capabilities: ["embedding"] as const },
];
const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];

type Chat = { readonly message: { readonly content: string; readonly thinking?: string } };

/** The framing of each API, as a real Ollama 0.33 frames it. */
describe("a stream", () => {
  test("of /api/chat is a JSON line a chunk, the last with its metrics", async () => {
    const sim = await simFor({ models });

    const answer = await ask(sim, "POST", "/api/chat", chatBody("m"));

    expect(headerOf(answer.headers, "content-type")).toBe("application/x-ndjson");
    expect(answer.chunks.length).toBe(4);
    expect(answer.chunks.every((chunk) => /^\{.*\}\n$/.test(chunk))).toBe(true);
    const last = JSON.parse(answer.chunks.at(-1) ?? "");
    expect(last).toMatchObject({ done: true, done_reason: "stop", eval_count: 3 });
    expect(last.total_duration).toBeGreaterThan(last.load_duration);
  });

  test("of /api/generate ends with the context, unless it is raw", async () => {
    const sim = await simFor({ models });

    const answer = await ask(sim, "POST", "/api/generate", { model: "m", prompt: "hi" });
    const raw = await ask(sim, "POST", "/api/generate", { model: "m", prompt: "hi", raw: true });

    expect(JSON.parse(answer.chunks.at(-1) ?? "").context).toBeInstanceOf(Array);
    expect(JSON.parse(raw.chunks.at(-1) ?? "")).not.toHaveProperty("context");
  });

  test("of /v1/chat/completions is SSE with usage on demand and [DONE]", async () => {
    const sim = await simFor({ models });

    const usage = { stream: true, stream_options: { include_usage: true } };
    const answer = await ask(sim, "POST", "/v1/chat/completions", chatBody("m", "hi", usage));

    expect(headerOf(answer.headers, "content-type")).toBe("text/event-stream");
    const events = answer.body.split("\n\n").filter(Boolean);
    expect(events.at(-1)).toBe("data: [DONE]");
    expect(JSON.parse(events.at(-2)?.slice(6) ?? "")).toMatchObject({
      choices: [],
      usage: { completion_tokens: 3 },
    });
    expect(JSON.parse(events.at(-3)?.slice(6) ?? "").choices[0].finish_reason).toBe("stop");
  });

  test.each([
    ["/v1/responses", { input: "hi" }, "response.created", "response.completed"],
    ["/v1/messages", { ...chatBody("m"), max_tokens: 9 }, "message_start", "message_stop"],
  ])("of %s is named events", async (path, body, first, last) => {
    const sim = await simFor({ models });

    const answer = await ask(sim, "POST", path, { ...body, model: "m", stream: true });

    expect(eventNames(answer).at(0)).toBe(first);
    expect(eventNames(answer).at(-1)).toBe(last);
    expect(headerOf(answer.headers, "cache-control")).toBe("no-cache");
  });

  test("of /v1/completions shows text", async () => {
    const sim = await simFor({ models });

    const body = { model: "m", prompt: "hi", stream: true, max_tokens: 2 };
    const answer = await ask(sim, "POST", "/v1/completions", body);

    expect(answer.body).toContain('"finish_reason":"length"');
    expect(answer.body.endsWith("data: [DONE]\n\n")).toBe(true);
  });

  test("says the same words every time, and without streaming", async () => {
    const sim = await simFor({ models });
    const twin = await simFor({ models });

    const streamed = await ask(sim, "POST", "/api/chat", chatBody("m"));
    const body = chatBody("m", "hello", { stream: false });
    const whole = await postJson<Chat>(twin, "/api/chat", body);

    const words = streamed.chunks.map((chunk) => JSON.parse(chunk).message.content).join("");
    expect(whole.message.content).toBe(words);
  });

  test("holds what num_predict and directives in the prompt ask for", async () => {
    const sim = await simFor({ models });

    const options = { num_predict: 2 };
    const cut = await post(sim, "/api/chat", chatBody("m", "hi", { options, stream: false }));
    const long = await post(sim, "/api/chat", chatBody("m", "[[tokens=50]]", { stream: false }));

    expect(await cut.json()).toMatchObject({ done_reason: "length", eval_count: 2 });
    expect(await long.json()).toMatchObject({ done_reason: "stop", eval_count: 50 });
  });

  test("calls a tool when it is told to", async () => {
    const sim = await simFor({ models });

    const body = chatBody("m", "please use tool", { tools });
    const native = await ask(sim, "POST", "/api/chat", body);
    const openai = await postJson<{ choices: object[] }>(sim, "/v1/chat/completions", body);

    const [first] = native.chunks.map((chunk) => JSON.parse(chunk));
    expect(first.message.tool_calls[0].function).toEqual({ index: 0, name: "f", arguments: {} });
    const choice = { finish_reason: "tool_calls", message: { content: "" } };
    expect(openai.choices).toMatchObject([choice]);
  });

  test("obeys a schema", async () => {
    const sim = await simFor({ models });
    const format = {
      type: "object",
      properties: { age: { type: "integer" }, tags: { type: "array", items: { enum: ["x"] } } },
    };

    const body = chatBody("m", "hi", { format, stream: false });
    const answer = await postJson<Chat>(sim, "/api/chat", body);

    expect(JSON.parse(answer.message.content)).toEqual({ age: expect.any(Number), tags: ["x"] });
  });

  test("thinks before it speaks, if it may", async () => {
    const sim = await simFor({ models });

    const on = chatBody("thinker", "hi", { stream: false });
    const thoughtful = await postJson<Chat>(sim, "/api/chat", on);
    const off = chatBody("thinker", "hi", { stream: false, think: false });
    const silent = await postJson<Chat>(sim, "/api/chat", off);

    expect(thoughtful.message.thinking).toMatch(/^\w+( \w+){3}$/);
    expect(silent.message).not.toHaveProperty("thinking");
  });
});

describe("an embedding", () => {
  test("has unit length, and is the same as floats and as base64", async () => {
    const sim = await simFor({ models });

    const both = { model: "embedder", input: ["a", "b"] };
    const native = await postJson<{ embeddings: number[][] }>(sim, "/api/embed", both);
    const body = { model: "embedder", input: "a", encoding_format: "base64" };
    type Encoded = { data: { embedding: string }[] };
    const openai = await postJson<Encoded>(sim, "/v1/embeddings", body);

    const [vector = []] = native.embeddings;
    const norm = vector.reduce((sum, value) => sum + value * value, 0);
    expect(norm).toBeCloseTo(1, 5);
    const bytes = Buffer.from(openai.data[0]?.embedding ?? "", "base64");
    const floats = [0, 4, 8, 12].map((at) => bytes.readFloatLE(at));
    expect(floats).toEqual([...Float32Array.from(vector)]);
  });

  test("of nothing only loads the model", async () => {
    const sim = await simFor({ models });

    const answer = await post(sim, "/api/embed", { model: "embedder" });

    expect(await answer.json()).toEqual({ model: "embedder", embeddings: [] });
    expect(sim.loaded).toEqual(["embedder:latest"]);
  });
});

describe("a transcription", () => {
  test("is read from a form and answered in one piece", async () => {
    const sim = await simFor({ models });
    const form = new FormData();
    form.set("model", "m");
    form.set("file", new Blob(["sound"]), "a.wav");

    const init = { method: "POST", body: form };
    const answer = await fetch(`${sim.url}/v1/audio/transcriptions`, init);

    expect(await answer.json()).toEqual({ text: expect.stringMatching(/^\w+ \w+ \w+$/) });
  });
});

function eventNames(answer: WireAnswer): (string | undefined)[] {
  return answer.chunks.map((chunk) => /^event: (\S+)\ndata: /.exec(chunk)?.[1]);
}
