import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { gathered } from "../support/gathered.ts";
import { startTwins, type Twins } from "../support/twin-targets.ts";
import { until } from "../support/until.ts";

// As with ollama-js: the unmodified package, directly and through foreman, with equal results.
const quick = { loadMs: 1, tokens: 6 };
const models = [
  { name: "llama3.2", ...quick, capabilities: ["completion", "tools"] as const },
  { name: "nomic-embed-text", ...quick, embeddingLength: 8, capabilities: ["embedding"] as const },
];

const model = "llama3.2";
const messages = [{ role: "user" as const, content: "Why is the sky blue?" }];
const parameters = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
const tools = [{ type: "function" as const, function: { name: "weather", parameters } }];
const json_schema = { name: "answer", schema: parameters };
const wanted = { model, messages: [{ role: "user" as const, content: "use tool" }], tools };
const embedder = "nomic-embed-text";

type Ask = (client: OpenAI) => Promise<unknown>;

describe("openai-node is answered as by the target", () => {
  test.each<[string, Ask]>([
    ["a chat", ({ chat }) => chat.completions.create({ model, messages })],
    ["a chat with limits", ({ chat }) => chat.completions.create({ ...limited, messages })],
    [
      "a streamed chat",
      async ({ chat }) => gathered(await chat.completions.create({ ...streamed, messages })),
    ],
    [
      "a streamed chat with usage",
      async ({ chat }) =>
        gathered(
          await chat.completions.create({
            ...{ ...streamed, messages },
            stream_options: { include_usage: true },
          }),
        ),
    ],
    [
      "a chat that the package gathers itself",
      ({ chat }) => chat.completions.stream({ model, messages }).finalChatCompletion(),
    ],
    ["a tool call", ({ chat }) => chat.completions.create(wanted)],
    [
      "a streamed tool call",
      async ({ chat }) => gathered(await chat.completions.create({ ...wanted, stream: true })),
    ],
    ["a tool's result", ({ chat }) => chat.completions.create(toolResult)],
    [
      "a chat in JSON",
      ({ chat }) =>
        chat.completions.create({ model, messages, response_format: { type: "json_object" } }),
    ],
    [
      "a chat by a schema",
      ({ chat }) =>
        chat.completions.create({
          ...{ model, messages },
          response_format: { type: "json_schema", json_schema },
        }),
    ],
    ["a completion", (client) => client.completions.create({ model, prompt: "hi" })],
    [
      "a streamed completion",
      async (client) => gathered(await client.completions.create({ ...streamed, prompt: "hi" })),
    ],
    ["a response", ({ responses }) => responses.create({ model, input: "hi" })],
    [
      "a streamed response",
      async ({ responses }) => gathered(await responses.create({ ...streamed, input: "hi" })),
    ],
    ["embeddings", ({ embeddings }) => embeddings.create({ model: embedder, input: ["a", "b"] })],
    [
      "embeddings as numbers",
      ({ embeddings }) =>
        embeddings.create({ model: embedder, input: "a", encoding_format: "float" }),
    ],
    ["the list of models", async (client) => gathered(await client.models.list())],
    ["one model", (client) => client.models.retrieve(model)],
  ])("%s", async (_, ask) => {
    const twins = await startTwins({ models });

    const { direct, through } = await twins.compare((url) => ask(clientFor(url)));

    expect(through).toEqual(direct);
    expect(JSON.stringify(through).length).toBeGreaterThan(20);
  });
});

describe("openai-node is told an error as by the target", () => {
  test.each<[string, Ask]>([
    ["an unknown model", ({ chat }) => chat.completions.create({ ...unknown, messages })],
    ["an unknown model to complete", (c) => c.completions.create({ ...unknown, prompt: "x" })],
    ["an unknown model to respond", (c) => c.responses.create({ ...unknown, input: "x" })],
    ["an unknown model to embed", (c) => c.embeddings.create({ ...unknown, input: "x" })],
    ["an unknown model to look at", (client) => client.models.retrieve("nobody")],
    ["no messages", ({ chat }) => chat.completions.create({ model, messages: [] })],
    ["a model that cannot chat", (c) => c.chat.completions.create({ model: embedder, messages })],
    ["a failure", ({ chat }) => chat.completions.create({ model: failing, messages })],
    [
      "a failure before a stream",
      ({ chat }) => chat.completions.create({ model: failing, messages, stream: true }),
    ],
  ])("%s", async (_, ask) => {
    const twins = await startTwins({ models });
    for (const sim of [twins.direct, twins.behind]) {
      const fault = { kind: "error-after-tokens", tokens: 0, message: "oh no" } as const;
      sim.fail({ model: failing, fault });
    }

    const { direct, through } = await twins.compare((url) => errorOf(ask, url));

    expect(through).toEqual(direct);
    expect(through).toHaveProperty("status");
  });

  test("a target that dies in the stream, which ends in an error and not in silence", async () => {
    const twins = await startTwins({ models });
    const fault = { kind: "reset-after-tokens", tokens: 3 } as const;
    twins.behind.fail({ route: "/v1/chat/completions", fault });

    const client = clientFor(twins.foreman.url);
    const stream = await client.chat.completions.create({ ...streamed, messages });

    await expect(gathered(stream)).rejects.toThrow("Ollama broke the answer off");
  });
});

describe("openai-node", () => {
  test("aborts a stream, and the target's generation ends", async () => {
    const twins = await startTwins({ models });
    const client = clientFor(twins.foreman.url);
    const long = [{ role: "user" as const, content: "[[tokens=999]] [[token-ms=5]]" }];

    const stream = await client.chat.completions.create({ ...streamed, messages: long });
    for await (const _ of stream) stream.controller.abort();

    await until("the target is told", () => disconnects(twins) === 1);
    const next = await client.chat.completions.create({ model, messages });
    expect(next.choices[0]?.finish_reason).toBe("stop");
  });

  test("gives up before the answer, and the target's request ends", async () => {
    const twins = await startTwins({ models });
    twins.behind.fail({ nth: 1, route: "/v1/chat/completions", fault: { kind: "stall" } });
    const client = clientFor(twins.foreman.url);

    const asked = client.chat.completions.create({ model, messages }, { timeout: 150 });

    await expect(asked).rejects.toThrow(OpenAI.APIConnectionTimeoutError);
    await until("the target is told", () => disconnects(twins) === 1);
    const next = await client.chat.completions.create({ model, messages });
    expect(next.choices[0]?.finish_reason).toBe("stop");
  });
});

const streamed = { model, stream: true as const };
const limited = { model, max_tokens: 3, temperature: 0, seed: 1, stop: ["x"] };
const unknown = { model: "nobody" };
const failing = "llama3.2:latest";
const toolResult = {
  ...wanted,
  messages: [
    ...wanted.messages,
    {
      role: "assistant" as const,
      content: "",
      tool_calls: [
        {
          id: "call_1",
          type: "function" as const,
          function: { name: "weather", arguments: '{"n":1}' },
        },
      ],
    },
    { role: "tool" as const, tool_call_id: "call_1", content: "rain" },
  ],
};

function clientFor(url: string): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", maxRetries: 0 });
}

async function errorOf(ask: Ask, url: string): Promise<unknown> {
  try {
    return await ask(clientFor(url));
  } catch (thrown) {
    const { name, message, status, error, code, type } = thrown as InstanceType<
      typeof OpenAI.APIError
    >;
    return { name, message, status, error, code, type };
  }
}

function disconnects({ behind }: Twins): number {
  return behind.journal.events.filter(({ kind }) => kind === "disconnect").length;
}
