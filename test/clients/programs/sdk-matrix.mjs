/**
 * Anthropic's SDK, LangChain.js, Vercel's AI SDK with an Ollama provider, and what the `ollama`
 * command asks, in its order: prints what each gave, a JSON line each.
 */
import Anthropic from "@anthropic-ai/sdk";
import { ChatOllama, OllamaEmbeddings } from "@langchain/ollama";
import { embedMany, generateText, streamText } from "ai";
import { createOllama } from "ollama-ai-provider-v2";

const url = process.argv[2];
const model = "llama3.2";
const embedder = "nomic-embed-text";
const messages = [{ role: "user", content: "hi [[tokens=4]]" }];
const parameters = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };

const tell = (event, value) => process.stdout.write(`${JSON.stringify({ event, value })}\n`);
const gathered = async (stream) => {
  const all = [];
  for await (const each of stream) all.push(each);
  return all;
};

await anthropic();
await langchain();
await vercel();
await commandLine();

async function anthropic() {
  const client = new Anthropic({ baseURL: url, apiKey: "unused", maxRetries: 0 });
  const asked = { model, max_tokens: 50, messages };
  tell("anthropic message", await client.messages.create(asked));
  const stream = await client.messages.create({ ...asked, stream: true });
  tell("anthropic message, streamed", await gathered(stream));
  const wanted = [{ role: "user", content: "use tool" }];
  const tools = [{ name: "weather", input_schema: parameters }];
  tell("anthropic tool", await client.messages.create({ ...asked, messages: wanted, tools }));
  const error = await client.messages.create({ ...asked, model: "nobody" }).catch((e) => e);
  tell("anthropic error", [error.status, error.error]);
}

async function langchain() {
  const chat = new ChatOllama({ baseUrl: url, model, maxRetries: 0 });
  const answer = await chat.invoke("hi [[tokens=4]]");
  tell("langchain chat", [answer.content, answer.usage_metadata]);
  const chunks = await gathered(await chat.stream("hi [[tokens=4]]"));
  tell(
    "langchain chat, streamed",
    chunks.map(({ content }) => content),
  );
  const tool = { type: "function", function: { name: "weather", description: "of", parameters } };
  const called = await chat.bindTools([tool]).invoke("use tool");
  tell(
    "langchain tool",
    called.tool_calls.map(({ args, name }) => ({ args, name })),
  );
  const embeddings = new OllamaEmbeddings({ baseUrl: url, model: embedder });
  tell("langchain embeddings", await embeddings.embedDocuments(["a", "b"]));
}

async function vercel() {
  const ollama = createOllama({ baseURL: `${url}/api` });
  const prompt = "hi [[tokens=4]]";
  const { finishReason, text, usage } = await generateText({ model: ollama(model), prompt });
  tell("vercel chat", { finishReason, text, usage });
  tell(
    "vercel chat, streamed",
    await gathered(streamText({ model: ollama(model), prompt }).textStream),
  );
  const embedding = ollama.textEmbeddingModel(embedder);
  tell("vercel embeddings", (await embedMany({ model: embedding, values: ["a", "b"] })).embeddings);
}

/** `ollama run`, `ps`, `stop`: read from its source, version 0.33. */
async function commandLine() {
  const headers = { "User-Agent": "ollama/0.33.0 (amd64 linux) Go/go1.26.0" };
  const ask = async (method, path, body) => {
    const sent = body && { body: JSON.stringify(body), headers };
    const answer = await fetch(`${url}${path}`, { method, headers, ...sent });
    const lines = (await answer.text()).split("\n").filter(Boolean);
    tell(`ollama command ${method} ${path}`, [
      answer.status,
      lines.map((line) => JSON.parse(line)),
    ]);
  };
  await ask("HEAD", "/");
  await ask("POST", "/api/show", { model });
  await ask("POST", "/api/generate", { model, prompt: "" });
  await ask("POST", "/api/chat", { model, messages });
  await ask("GET", "/api/ps");
  await ask("POST", "/api/generate", { model, keep_alive: 0 });
  await ask("GET", "/api/tags");
}
