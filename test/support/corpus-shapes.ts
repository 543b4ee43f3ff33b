import { type CorpusExchange, posts } from "./corpus-exchange.ts";
import type { CorpusModels } from "./exchange-corpus.ts";

const hi = [{ role: "user", content: "hi [[tokens=5]]" }];
const short = { num_predict: 5, seed: 1, temperature: 0 };
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tool = { type: "function", function: { name: "weather", description: "of", parameters } };
const wanted = [{ role: "user", content: "use tool" }];
/** A picture of one dot. */
const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** What sound requests may look like beyond the plainest: tools, thought, pictures, options. */
export function shapes(models: CorpusModels): CorpusExchange[] {
  return [
    ...nativeShapes(models),
    ...openaiShapes(models),
    ...newerShapes(models),
    ...vectors(models),
  ];
}

function nativeShapes({ chat, thinking, tools }: CorpusModels): CorpusExchange[] {
  const call = { function: { name: "weather", arguments: { city: "Ulm" } } };
  const told = [
    ...wanted,
    { role: "assistant", content: "", tool_calls: [call] },
    { role: "tool", content: "rain", tool_name: "weather" },
  ];
  const common = { model: chat, messages: hi, options: short };
  const schema = { type: "object", properties: { n: { type: "integer" } } };
  const chats = {
    "a tool": { model: tools, messages: wanted, tools: [tool], options: short },
    "a tool, whole": {
      model: tools,
      messages: wanted,
      tools: [tool],
      options: short,
      stream: false,
    },
    "a tool's result": { model: tools, messages: told, tools: [tool], options: short },
    "a tool of a model without": {
      model: thinking,
      messages: wanted,
      tools: [tool],
      options: short,
    },
    "no tool": { ...common, tools: [] },
    "thought refused": { model: thinking, messages: hi, options: short, think: false },
    "thought, whole": { model: thinking, messages: hi, options: short, think: true, stream: false },
    "thought at a level": { model: thinking, messages: hi, options: short, think: "low" },
    "thought at an unknown level": { model: thinking, messages: hi, options: short, think: "odd" },
    "a picture": { ...common, messages: [{ ...hi[0], images: [png] }] },
    "a picture that is none": { ...common, messages: [{ ...hi[0], images: ["%%%"] }] },
    "a system and a history": {
      ...common,
      messages: [
        { role: "system", content: "be" },
        ...hi,
        { role: "assistant", content: "a" },
        ...hi,
      ],
    },
    "an unknown role": { ...common, messages: [{ role: "nobody", content: "x" }] },
    "JSON, whole": { ...common, format: "json", stream: false },
    "a schema, whole": { ...common, format: schema, stream: false },
    "an empty format": { ...common, format: "" },
    "a null format": { ...common, format: null },
    "all the options of a run": {
      ...common,
      options: { ...short, top_k: 5, top_p: 0.5, min_p: 0.1, repeat_penalty: 1.1, stop: ["zzz"] },
    },
    "an unknown option": { ...common, options: { ...short, nothing: 1 } },
    "an unknown field": { ...common, whatever: { a: [1] } },
    "a null stream": { ...common, stream: null },
    "a keep_alive in seconds": { ...common, keep_alive: 60 },
    "a keep_alive in words": { ...common, keep_alive: "1m30s" },
    Unicode: { ...common, messages: [{ role: "user", content: "ü 漢 🙂 \u2028 [[tokens=3]]" }] },
    "truncate and shift": { ...common, truncate: false, shift: true },
  };
  const generates = {
    thought: { model: thinking, prompt: "hi", options: short, think: true },
    "a picture": { model: chat, prompt: "hi", options: short, images: [png] },
    "a suffix": { model: chat, prompt: "hi", suffix: "x", options: short },
    JSON: { model: chat, prompt: "hi", options: short, format: "json", stream: false },
    "a schema": { model: chat, prompt: "hi", options: short, format: schema },
    "a template": { model: chat, prompt: "hi", options: short, template: "{{ .Prompt }}" },
    "a context": { model: chat, prompt: "hi", options: short, context: [1, 2] },
    "a keep_alive": { model: chat, prompt: "hi", options: short, keep_alive: "1m" },
  };
  return [
    ...posts("/api/chat", prefixed("a chat with", chats)),
    ...posts("/api/generate", prefixed("a generation with", generates)),
  ];
}

function openaiShapes({ chat, tools }: CorpusModels): CorpusExchange[] {
  const common = { model: chat, messages: hi, max_tokens: 5, seed: 1, temperature: 0 };
  const parts = [{ role: "user", content: [{ type: "text", text: "hi [[tokens=3]]" }] }];
  const format = { type: "json_schema", json_schema: { schema: parameters } };
  const picture = { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } };
  return [
    ...posts("/v1/chat/completions", {
      "OpenAI's chat with a tool": { ...common, model: tools, messages: wanted, tools: [tool] },
      "OpenAI's chat with a tool, streamed": {
        ...common,
        ...{ model: tools, messages: wanted, tools: [tool], stream: true },
      },
      "OpenAI's chat in parts": { ...common, messages: parts },
      "OpenAI's chat with a picture": {
        ...common,
        messages: [{ role: "user", content: [picture] }],
      },
      "OpenAI's chat in JSON": { ...common, response_format: { type: "json_object" } },
      "OpenAI's chat by a schema": { ...common, response_format: format },
      "OpenAI's chat with penalties": { ...common, frequency_penalty: 0.5, presence_penalty: 0.5 },
      "OpenAI's chat with one stop": { ...common, stop: "zzz" },
      "OpenAI's chat with stops": { ...common, stop: ["zzz", "yyy"] },
      "OpenAI's chat with effort": { ...common, reasoning_effort: "none" },
      "OpenAI's chat with a role for developers": {
        ...common,
        messages: [{ role: "developer", content: "be" }, ...hi],
      },
    }),
    ...posts("/v1/completions", {
      "a completion with a suffix": { model: chat, prompt: "hi", suffix: "x", max_tokens: 5 },
      "a completion with stops": { ...common, messages: undefined, prompt: "hi", stop: ["zzz"] },
      "a completion of a list": { model: chat, prompt: ["hi"], max_tokens: 5 },
    }),
  ];
}

function newerShapes({ chat, tools }: CorpusModels): CorpusExchange[] {
  const flat = { type: "function", name: "weather", description: "of", parameters };
  const claude = { name: "weather", description: "of", input_schema: parameters };
  const message = { model: chat, max_tokens: 5, temperature: 0, messages: hi };
  return [
    ...posts("/v1/responses", {
      "a response to messages": { model: chat, input: hi, max_output_tokens: 5, temperature: 0 },
      "a response with instructions": {
        ...{ model: chat, input: "hi", instructions: "be", max_output_tokens: 5, temperature: 0 },
      },
      "a response with a tool": {
        ...{ model: tools, input: "use tool", tools: [flat], temperature: 0, max_output_tokens: 5 },
      },
      "a response to a number": { model: chat, input: 5 },
      "a response to nothing": { model: chat },
    }),
    ...posts("/v1/messages", {
      "Anthropic's message with a system": { ...message, system: "be" },
      "Anthropic's message with a system in parts": {
        ...message,
        system: [{ type: "text", text: "be" }],
      },
      "Anthropic's message with a tool": {
        ...message,
        model: tools,
        messages: wanted,
        tools: [claude],
      },
      "Anthropic's message in parts": {
        ...message,
        messages: [{ role: "user", content: [{ type: "text", text: "hi [[tokens=3]]" }] }],
      },
      "Anthropic's message with a stop": { ...message, stop_sequences: ["zzz"] },
      "Anthropic's message without a bound": { model: chat, messages: hi },
      "Anthropic's message without messages": { model: chat, max_tokens: 5 },
    }),
  ];
}

function vectors({ chat, embedding: model }: CorpusModels): CorpusExchange[] {
  return [
    ...posts("/api/embed", {
      "an embedding of an empty text": { model, input: "" },
      "an embedding of an empty list": { model, input: [] },
      "an embedding of an empty text in a list": { model, input: ["", "a"] },
      "an embedding of a number": { model, input: 5 },
      "an embedding of a list of numbers": { model, input: [1, 2] },
      "an embedding, not cut": { model, input: "hi", truncate: false },
      "an embedding with options": { model, input: "hi", options: { num_ctx: 512 } },
      "an embedding, kept": { model, input: "hi", keep_alive: "1m" },
      "an embedding wider than the model": { model, input: "hi", dimensions: 100_000 },
      "an embedding of no width": { model, input: "hi", dimensions: -1 },
      "an embedding by a chat model": { model: chat, input: "hi" },
    }),
    ...posts("/api/embeddings", {
      "an old embedding of nothing": { model },
      "an old embedding of an empty text": { model, prompt: "" },
      "an old embedding by an unknown model": { model: "nobody", prompt: "x" },
      "an old embedding by no model": { prompt: "x" },
    }),
    ...posts("/v1/embeddings", {
      "OpenAI's embeddings of several": { model, input: ["a", "b"] },
      "OpenAI's embedding of an empty text": { model, input: "" },
      "OpenAI's embedding of nothing": { model },
      "OpenAI's embedding of tokens": { model, input: [1, 2] },
      "OpenAI's shorter embedding": { model, input: "hi", dimensions: 8 },
      "OpenAI's embedding in an unknown coding": { model, input: "hi", encoding_format: "x" },
      "OpenAI's embedding by an unknown model": { model: "nobody", input: "hi" },
    }),
  ];
}

function prefixed<Body>(prefix: string, bodies: Readonly<Record<string, Body>>) {
  return Object.fromEntries(Object.entries(bodies).map(([n, body]) => [`${prefix} ${n}`, body]));
}
