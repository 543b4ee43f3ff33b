import { Ollama } from "ollama";
import { describe, expect, test } from "vitest";
import { gathered } from "../support/gathered.ts";
import { requestsTo } from "../support/sim-ollama/journal-queries.ts";
import { startTwins, type Twins } from "../support/twin-targets.ts";
import { until } from "../support/until.ts";

/*
 * The unmodified package against a target, and against foreman in front of that target's twin: what
 * it makes of the answers must be the same, apart from times, durations and ids.
 */

const quick = { loadMs: 1, tokens: 6 };
const models = [
  { name: "llama3.2", ...quick, capabilities: ["completion", "tools"] as const },
  { name: "qwen3:8b", ...quick, capabilities: ["completion", "tools", "thinking"] as const },
  { name: "nomic-embed-text", ...quick, embeddingLength: 8, capabilities: ["embedding"] as const },
];
const catalogue = [{ name: "tinyllama", sizeBytes: 1_000 }];

const model = "llama3.2";
const messages = [{ role: "user", content: "Why is the sky blue?" }];
const embedder = "nomic-embed-text";
const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
const tool = {
  type: "function",
  function: { name: "weather", description: "of a city", parameters: schema },
} as never;

type Ask = (ollama: Ollama) => Promise<unknown>;

describe("ollama-js is answered as by the target", () => {
  test.each<[string, Ask]>([
    ["a chat", (ollama) => ollama.chat({ model, messages })],
    ["a streamed chat", async (o) => gathered(await o.chat({ model, messages, stream: true }))],
    ["a chat with options", (o) => o.chat({ model, messages, options: { num_predict: 2 } })],
    ["a chat in JSON", (ollama) => ollama.chat({ model, messages, format: "json" })],
    ["a chat by a schema", (ollama) => ollama.chat({ model, messages, format: schema })],
    ["a chat with a keep_alive", (ollama) => ollama.chat({ model, messages, keep_alive: "1h" })],
    ["a thinking chat", (o) => o.chat({ model: "qwen3:8b", messages, think: true })],
    ["a chat without thinking", (o) => o.chat({ model: "qwen3:8b", messages, think: false })],
    [
      "a streamed thinking chat",
      async (o) => gathered(await o.chat({ model: "qwen3:8b", messages, stream: true })),
    ],
    ["a tool call", (o) => o.chat({ model, messages: toolWanted, tools: [tool] })],
    ["a streamed tool call", async (o) => gathered(await o.chat({ ...toolChat, stream: true }))],
    ["a tool's result", (ollama) => ollama.chat({ model, messages: toolResult, tools: [tool] })],
    ["an image", (o) => o.chat({ model, messages: [{ ...user, images: [new Uint8Array(9)] }] })],
    ["a load", (ollama) => ollama.chat({ model, messages: [] })],
    ["an unload", (ollama) => ollama.chat({ model, messages: [], keep_alive: 0 })],
    ["a generation", (ollama) => ollama.generate({ model, prompt: "hi" })],
    [
      "a streamed generation",
      async (o) => gathered(await o.generate({ model, prompt: "hi", stream: true })),
    ],
    ["a raw generation", (o) => o.generate({ model, prompt: "hi", raw: true, system: "" })],
    ["a generation in JSON", (o) => o.generate({ model, prompt: "hi", format: "json" })],
    ["embeddings", (ollama) => ollama.embed({ model: embedder, input: ["a", "b"] })],
    ["shorter embeddings", (o) => o.embed({ model: embedder, input: "a", dimensions: 4 })],
    ["an old embedding", (ollama) => ollama.embeddings({ model: embedder, prompt: "a" })],
    ["the list of models", (ollama) => ollama.list()],
    ["what a model is", (ollama) => ollama.show({ model })],
    ["the version", (ollama) => ollama.version()],
  ])("%s", async (_, ask) => {
    const twins = await startTwins({ models });

    const { direct, through } = await twins.compare((url) => ask(new Ollama({ host: url })));

    expect(through).toEqual(direct);
    expect(JSON.stringify(through).length).toBeGreaterThan(2);
  });

  test("what is loaded, after a chat", async () => {
    const twins = await startTwins({ models });

    const { answer, direct, through } = await twins.compare(async (host) => {
      const ollama = new Ollama({ host });
      await ollama.chat({ model, messages });
      await ollama.embed({ model: embedder, input: "a" });
      return ollama.ps();
    });

    expect(answer.models.map(({ name }) => name)).toContain("llama3.2:latest");
    expect(through).toEqual(direct);
  });

  test("pull, create, copy, delete, and the lists between them", async () => {
    const twins = await startTwins({ models, catalogue, pullSteps: 3 });

    const { direct, through } = await twins.compare(async (host) => {
      const ollama = new Ollama({ host });
      const names = async () => (await ollama.list()).models.map(({ name }) => name).sort();
      const steps: unknown[] = [await names()];
      steps.push(await gathered(await ollama.pull({ model: "tinyllama", stream: true })));
      steps.push(await names());
      steps.push(await ollama.pull({ model: "tinyllama" }));
      steps.push(await gathered(await ollama.create({ ...creation, stream: true })));
      steps.push(await names());
      steps.push(await ollama.copy({ source: "mine", destination: "yours" }));
      steps.push(await names());
      steps.push(await ollama.chat({ model: "yours", messages }));
      steps.push(await ollama.delete({ model: "mine" }), await ollama.delete({ model: "yours" }));
      steps.push(await names());
      return steps;
    });

    expect(through).toEqual(direct);
  });
});

describe("ollama-js is told an error as by the target", () => {
  test.each<[string, Ask]>([
    ["an unknown model", (ollama) => ollama.chat({ model: "nobody", messages })],
    ["an unknown model, streamed", (o) => o.chat({ model: "nobody", messages, stream: true })],
    ["an unknown model to generate", (o) => o.generate({ model: "nobody", prompt: "x" })],
    ["an unknown model to embed", (o) => o.embed({ model: "nobody", input: "x" })],
    ["an unknown model to show", (ollama) => ollama.show({ model: "nobody" })],
    ["an unknown model to delete", (ollama) => ollama.delete({ model: "nobody" })],
    ["an unknown model to copy", (o) => o.copy({ source: "nobody", destination: "x" })],
    ["an unknown model to pull", async (o) => o.pull({ model: "nobody" })],
    ["no model", (ollama) => ollama.chat({ model: "", messages })],
    ["a model that cannot chat", (ollama) => ollama.chat({ model: embedder, messages })],
    ["a model that cannot think", (ollama) => ollama.chat({ model, messages, think: true })],
    ["a bad keep_alive", (ollama) => ollama.chat({ model, messages, keep_alive: "5" })],
    ["a bad format", (ollama) => ollama.chat({ model, messages, format: "yaml" })],
    [
      "an error within the stream",
      async (o) => gathered(await o.chat({ ...broken, stream: true })),
    ],
    ["an error before the stream", (ollama) => ollama.chat({ ...broken, model: "qwen3:8b" })],
  ])("%s", async (_, ask) => {
    const twins = await startTwins({ models });
    for (const sim of [twins.direct, twins.behind]) {
      const fault = { kind: "error-after-tokens", message: "oh no" } as const;
      sim.fail({ model: "llama3.2:latest", fault: { ...fault, tokens: 3 } });
      sim.fail({ model: "qwen3:8b", fault: { ...fault, tokens: 0 } });
    }

    const { direct, through } = await twins.compare((url) => errorOf(ask, url));

    expect(through).toEqual(direct);
    expect(through).toHaveProperty("message");
  });
});

describe("ollama-js aborts", () => {
  test("a stream, and the target's generation ends", async () => {
    const twins = await startTwins({ models });
    const ollama = new Ollama({ host: twins.foreman.url });
    const long = [{ role: "user", content: "[[tokens=999]] [[token-ms=5]]" }];

    const stream = await ollama.chat({ model, messages: long, stream: true });
    const reading = (async () => {
      for await (const _ of stream) ollama.abort();
    })();

    await expect(reading).rejects.toThrow("aborted");
    await until("the target is told", () => cancelled(twins) === 1);
    await answers(ollama);
  });

  test("before the answer, and the target's request ends", async () => {
    const twins = await startTwins({ models });
    const stall = twins.behind.fail({ nth: 1, route: "/api/chat", fault: { kind: "stall" } });
    const leaving = new AbortController();
    const ollama = abortable(twins, leaving.signal);

    const asked = ollama.chat({ model, messages });
    await until("it is at the target", () => stall.hitCount === 1);
    leaving.abort();

    await expect(asked).rejects.toThrow("aborted");
    await until("the target is told", () => cancelled(twins) === 1);
    await answers(new Ollama({ host: twins.foreman.url }));
  });

  test("while it waits, and nothing is sent to the target", async () => {
    const twins = await startTwins({ models });
    const stall = twins.behind.fail({ nth: 1, route: "/api/chat", fault: { kind: "stall" } });
    const leaving = new AbortController();
    const first = new Ollama({ host: twins.foreman.url }).chat({ model, messages });
    await until("the slot is taken", () => stall.hitCount === 1);

    const asked = abortable(twins, leaving.signal).chat({ model, messages });
    await until("it waits", () => logged(twins, "job queued") === 2);
    leaving.abort();

    await expect(asked).rejects.toThrow("aborted");
    await until("it is cancelled", () => logged(twins, "job cancelled") === 1);
    stall.release();
    expect((await first).done).toBe(true);
    expect(requestsTo(twins.behind.journal.events, "/api/chat").length).toBe(1);
  });
});

const user = { role: "user", content: "look" };
const broken = { model: "llama3.2:latest", messages };
const creation = { model: "mine", from: "tinyllama", system: "Be brief." };
const toolWanted = [{ role: "user", content: "use tool" }];
const toolChat = { model, messages: toolWanted, tools: [tool] };
const toolResult = [...toolWanted, { role: "tool", content: "rain", tool_name: "weather" }];

async function errorOf(ask: Ask, host: string): Promise<unknown> {
  try {
    return await ask(new Ollama({ host }));
  } catch (error) {
    const { message, name, status_code } = error as Error & { status_code?: number };
    return { name, message, status_code };
  }
}

/** The package has no signal of its own for what is not streamed; users give it such a fetch. */
function abortable({ foreman }: Twins, signal: AbortSignal): Ollama {
  return new Ollama({ host: foreman.url, fetch: (url, init) => fetch(url, { ...init, signal }) });
}

async function answers(ollama: Ollama): Promise<void> {
  expect((await ollama.chat({ model, messages })).done).toBe(true);
}

function cancelled({ behind }: Twins): number {
  return behind.journal.events.filter(({ kind }) => kind === "disconnect").length;
}

function logged({ foreman }: Twins, message: string): number {
  return foreman.logged.filter(({ msg }) => msg === message).length;
}
