import { bare, type CorpusExchange, posts, raw } from "./corpus-exchange.ts";
import type { CorpusModels } from "./exchange-corpus.ts";

const short = { num_predict: 5, seed: 1, temperature: 0 };

/** Every route that takes JSON and changes nothing when the JSON is sound. */
const asking = [
  ...["/api/chat", "/api/generate", "/api/embed", "/api/embeddings", "/api/show"],
  ...["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"],
];

/** Requests that no target takes, on each route: broken JSON, wrong types, wrong methods. */
export function faults(models: CorpusModels): CorpusExchange[] {
  return [...brokenBodies(models), ...wrongTypes(models), ...missing(), ...wrongMethods()];
}

function brokenBodies({ chat }: CorpusModels): CorpusExchange[] {
  const bodies = ["", "{", "x", "[]", "null", '"text"', `{"model":1}`, `{"model":"${chat}"} x`];
  const managing = ["/api/copy", "/api/create", "/api/pull", "/api/push"];
  return [
    ...asking.flatMap((path) => bodies.map((body) => raw("POST", path, body))),
    ...managing.flatMap((path) => ["", "{", "[]", "{}"].map((body) => raw("POST", path, body))),
    ...["", "{", "{}"].map((body) => raw("DELETE", "/api/delete", body)),
  ];
}

function wrongTypes({ chat }: CorpusModels): CorpusExchange[] {
  const messages = [{ role: "user", content: "hi" }];
  const wrong: Readonly<Record<string, unknown>> = {
    stream: "yes",
    messages: "hi",
    options: [],
    keep_alive: true,
    think: 5,
    tools: {},
    format: 5,
    logprobs: "x",
  };
  const chats = Object.entries(wrong).map(([field, value]) => [
    `a chat whose ${field} is of the wrong type`,
    { model: chat, messages, options: short, [field]: value },
  ]);
  const openai = ["stream", "messages", "tools", "max_tokens", "temperature"].map((field) => [
    `OpenAI's chat whose ${field} is of the wrong type`,
    { model: chat, messages, max_tokens: 5, [field]: field === "tools" ? "x" : "no" },
  ]);
  return [
    ...posts("/api/chat", Object.fromEntries(chats)),
    ...posts("/v1/chat/completions", Object.fromEntries(openai)),
  ];
}

function missing(): CorpusExchange[] {
  return asking.flatMap((path) => [
    ...posts(path, { "nothing at all": {} }),
    ...posts(path, {
      "an unknown model": {
        ...{ model: "nobody", messages: [{ role: "user", content: "x" }], prompt: "x" },
        ...{ input: "x", max_tokens: 5 },
      },
    }),
  ]);
}

function wrongMethods(): CorpusExchange[] {
  return [
    ...asking.flatMap((path) => [bare("GET", path), raw("PUT", path, "{}"), bare("OPTIONS", path)]),
    ...["/api/tags", "/api/ps", "/api/version", "/v1/models"].map((path) =>
      raw("POST", path, "{}"),
    ),
    ...["/api/pull", "/api/create", "/api/copy", "/api/delete"].map((path) => bare("GET", path)),
  ];
}
