import { bare, type CorpusExchange, posts, raw } from "./corpus-exchange.ts";
import { faults } from "./corpus-faults.ts";
import { shapes } from "./corpus-shapes.ts";

/** The models that the corpus asks; each must be able to do what it is named for. */
export type CorpusModels = {
  readonly chat: string;
  readonly thinking: string;
  readonly tools: string;
  readonly embedding: string;
};

/** What the corpus may touch beside loading and unloading its models. */
export type CorpusScope = {
  /** The stem of names of models that it may make, and will delete; null for changing nothing. */
  readonly ownStem: string | null;
  /** Models and routes of the cloud, signing out included. */
  readonly cloud: boolean;
};

/**
 * Requests on every route of Ollama, sound and unsound, to be sent in this order. Those that change
 * what the target has stand at the end, and undo what they did.
 */
export function exchangeCorpus(
  models: CorpusModels,
  { ownStem, cloud }: CorpusScope,
): readonly CorpusExchange[] {
  return [
    ...lists(),
    ...generations(models),
    ...openai(models),
    ...embeddings(models),
    ...shapes(models),
    ...names(models, cloud),
    ...refusals(models),
    ...faults(models),
    ...paths(models),
    ...(cloud ? account() : []),
    ...origins(models),
    ...(ownStem === null ? [] : management(models, ownStem)),
    ...posts("/api/generate", {
      "an unload at the end": { model: models.chat, keep_alive: 0 },
      "another unload at the end": { model: models.thinking, keep_alive: 0 },
    }),
  ];
}

const hi = [{ role: "user", content: "hi [[tokens=5]]" }];
const short = { num_predict: 5, seed: 1, temperature: 0 };

function lists(): CorpusExchange[] {
  const gets = ["/", "/api/version", "/api/tags", "/api/ps", "/v1/models", "/api/status"];
  const heads = ["/", "/api/version", "/api/tags", "/api/ps", "/v1/models"];
  return [
    ...gets.map((path) => bare("GET", path)),
    ...heads.map((path) => bare("HEAD", path)),
    bare("GET", "/api/experimental/model-recommendations"),
  ];
}

function generations({ chat, thinking }: CorpusModels): CorpusExchange[] {
  const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
  const chats = {
    "a streamed chat": { model: chat, messages: hi, options: short },
    "a whole chat": { model: chat, messages: hi, options: short, stream: false },
    "a chat in JSON": { model: chat, messages: hi, options: short, format: "json" },
    "a chat by a schema": { model: chat, messages: hi, options: short, format: schema },
    "a chat that thinks": { model: thinking, messages: hi, options: short, think: true },
    "a chat of one token": { model: chat, messages: hi, options: { ...short, num_predict: 1 } },
    "a chat with a context": { model: chat, messages: hi, options: { ...short, num_ctx: 2_048 } },
    "a load by chat": { model: chat, messages: [] },
    "a load by chat, whole": { model: chat, messages: [], stream: false },
    "a load by chat, kept": { model: chat, keep_alive: "10m" },
    "an unload by chat": { model: chat, messages: [], keep_alive: 0 },
  };
  const generates = {
    "a streamed generation": { model: chat, prompt: "hi", options: short },
    "a whole generation": { model: chat, prompt: "hi", options: short, stream: false },
    "a raw generation": { model: chat, prompt: "hi", raw: true, options: short },
    "a generation with a system": { model: chat, prompt: "hi", system: "be", options: short },
    "a load by generate": { model: chat, prompt: "" },
    "a load by generate, kept": { model: chat, keep_alive: -1, stream: false },
    "an unload by generate": { model: chat, keep_alive: 0 },
    "an unload of what is not loaded": { model: thinking, keep_alive: 0, prompt: "" },
  };
  return [...posts("/api/chat", chats), ...posts("/api/generate", generates)];
}

function openai({ chat }: CorpusModels): CorpusExchange[] {
  const common = { model: chat, max_tokens: 5, seed: 1, temperature: 0 };
  const usage = { stream: true, stream_options: { include_usage: true } };
  return [
    ...posts("/v1/chat/completions", {
      "OpenAI's chat": { ...common, messages: hi },
      "OpenAI's chat, streamed": { ...common, messages: hi, stream: true },
      "OpenAI's chat, streamed with usage": { ...common, messages: hi, ...usage },
      "OpenAI's chat without messages": { ...common, messages: [] },
    }),
    ...posts("/v1/completions", {
      "a completion": { ...common, prompt: "hi" },
      "a streamed completion": { ...common, prompt: "hi", ...usage },
    }),
    ...posts("/v1/responses", {
      "a response": { model: chat, input: "hi", max_output_tokens: 5, temperature: 0 },
      "a streamed response": {
        model: chat,
        input: "hi",
        max_output_tokens: 5,
        temperature: 0,
        stream: true,
      },
    }),
    ...posts("/v1/messages", {
      "Anthropic's message": { ...common, messages: hi },
      "Anthropic's message, streamed": { ...common, messages: hi, stream: true },
    }),
  ];
}

function embeddings({ embedding }: CorpusModels): CorpusExchange[] {
  return [
    ...posts("/api/embed", {
      "an embedding": { model: embedding, input: "hi" },
      "embeddings of several": { model: embedding, input: ["a", "b", "c"] },
      "an embedding of nothing": { model: embedding },
      "a shorter embedding": { model: embedding, input: "hi", dimensions: 8 },
      "an embedding by an unknown model": { model: "nobody", input: "hi" },
      "an embedding by no model": { input: "hi" },
    }),
    ...posts("/api/embeddings", { "an old embedding": { model: embedding, prompt: "hi" } }),
    ...posts("/v1/embeddings", {
      "OpenAI's embedding": { model: embedding, input: "hi" },
      "OpenAI's embedding in base64": { model: embedding, input: "hi", encoding_format: "base64" },
    }),
  ];
}

function names({ chat, embedding }: CorpusModels, cloud: boolean): CorpusExchange[] {
  const spelled = {
    "in capitals": chat.toUpperCase(),
    "of the registry": `registry.ollama.ai/library/${chat}`,
    "with a scheme": `https://registry.ollama.ai/library/${chat}`,
    "marked as local": `${chat}:local`,
    "with a space before": ` ${chat}`,
    "that is unknown": "nobody",
    "that is unknown, with quotes": `no"bo'dy<&>`,
    "that is empty": "",
    ...(cloud && {
      "that is of the cloud": "gpt-oss:120b-cloud",
      "that is of the cloud, in capitals": "gpt-oss:CLOUD",
    }),
    "that contradicts itself": "gpt-oss:cloud:local",
    "with a bad character": "a b",
  };
  const bodies = Object.entries(spelled).map(([how, model]) => [
    `a model name ${how}`,
    { model, messages: hi, options: short, stream: false },
  ]);
  return [
    ...posts("/api/chat", Object.fromEntries(bodies)),
    ...Object.entries(spelled).flatMap(([how, model]) => [
      ...posts("/api/show", { [`a model ${how}`]: { model } }),
      ...posts("/v1/chat/completions", {
        [`a model ${how}`]: { model, messages: hi, max_tokens: 3, temperature: 0 },
      }),
    ]),
    ...posts("/api/embed", {
      "an embedder in capitals": { model: embedding.toUpperCase(), input: "a" },
      "an embedder of the registry": {
        ...{ model: `registry.ollama.ai/library/${embedding}`, input: "a" },
      },
    }),
    ...posts("/api/generate", { "an unknown model to generate": { model: "nobody", prompt: "x" } }),
    ...posts("/v1/chat/completions", {
      "an unknown model in OpenAI's way": { model: "nobody", messages: hi },
    }),
    ...posts("/v1/messages", {
      "an unknown model in Anthropic's way": { model: "nobody", messages: hi, max_tokens: 5 },
    }),
    ...posts("/api/show", {
      "what a model is": { model: chat },
      "what an unknown model is": { model: "nobody" },
      "what no model is": {},
    }),
    bare("GET", `/v1/models/${chat}`),
    bare("GET", "/v1/models/nobody"),
    bare("GET", "/v1/models/a%2Fb"),
  ];
}

function refusals({ chat, embedding }: CorpusModels): CorpusExchange[] {
  return [
    ...posts("/api/chat", {
      "an embedding model asked to chat": { model: embedding, messages: hi },
      "a model that cannot think": { model: chat, messages: hi, options: short, think: true },
      "an option of the wrong type": { model: chat, messages: hi, options: { num_ctx: "4096" } },
      "a bad keep_alive": { model: chat, messages: hi, options: short, keep_alive: "5" },
      "a bad format": { model: chat, messages: hi, options: short, format: "yaml" },
      "too many logprobs": { model: chat, messages: hi, options: short, top_logprobs: 21 },
    }),
    ...posts("/api/generate", {
      "a raw generation with a template": { model: chat, prompt: "x", raw: true, template: "y" },
    }),
  ];
}

function paths({ chat }: CorpusModels): CorpusExchange[] {
  const others: readonly (readonly [method: string, path: string])[] = [
    ["GET", "/api/chat"],
    ["PUT", "/api/chat"],
    ["DELETE", "/v1/chat/completions"],
    ["POST", "/api/tags"],
    ["PATCH", "/api/ps"],
    ["GET", "/api/nothing"],
    ["GET", "/v1/nothing"],
    ["GET", "/nothing"],
    ["GET", "/api"],
    ["GET", "/api/tags/"],
    ["GET", "/api/tags?a=b&c=%20"],
    ["OPTIONS", "/api/chat"],
    ["HEAD", "/api/chat"],
  ];
  return [
    ...others.map(([method, path]) => bare(method, path)),
    ...["/api/chat/", "//api/chat", "/api//chat", "/api/%63hat", "/api/chat?ts=1"].map((path) =>
      raw("POST", path, JSON.stringify({ model: chat, messages: hi, options: short })),
    ),
  ];
}

function account(): CorpusExchange[] {
  return ["/api/me", "/api/signout", "/api/experimental/web_search"].map((path) =>
    raw("POST", path, "{}"),
  );
}

function origins({ chat }: CorpusModels): CorpusExchange[] {
  const from = (origin: string) => [`Origin: ${origin}`];
  const asks = ["Access-Control-Request-Method: POST"];
  const body = JSON.stringify({ model: chat, messages: hi, options: short, stream: false });
  return ["http://localhost:3000", "https://evil.example", "null"].flatMap((origin) => [
    raw("GET", "/api/tags", null, from(origin)),
    raw("POST", "/api/chat", body, from(origin)),
    raw("OPTIONS", "/api/chat", null, [...from(origin), ...asks]),
  ]);
}

function management({ chat }: CorpusModels, stem: string): CorpusExchange[] {
  const digest = `sha256:${"0".repeat(64)}`;
  return [
    ...posts("/api/copy", {
      "a copy": { source: chat, destination: `${stem}-copy` },
      "a copy of nothing": { source: "nobody", destination: `${stem}-copy-2` },
    }),
    bare("GET", `/v1/models/${stem}-copy`),
    ...posts("/api/create", { "a creation": { model: `${stem}-made`, from: chat, system: "be" } }),
    ...posts("/api/pull", { "a pull of nothing": { model: "nobody.invalid/x/y" } }),
    bare("HEAD", `/api/blobs/${digest}`),
    bare("HEAD", "/api/blobs/nonsense"),
    raw("POST", `/api/blobs/${digest}`, "not what was promised"),
    ...[`${stem}-copy`, `${stem}-made`, `${stem}-copy`].map((model) =>
      raw("DELETE", "/api/delete", JSON.stringify({ model })),
    ),
  ];
}
