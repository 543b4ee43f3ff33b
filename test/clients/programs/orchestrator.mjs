/**
 * An orchestrator as Dynavera has one, with the openai package: several people talk at once; for
 * each a loop asks the model, does what its tool calls want, and asks again until it answers.
 *
 *   node orchestrator.mjs http://127.0.0.1:8080
 */
import { setTimeout as delay } from "node:timers/promises";
import OpenAI from "openai";

const [, , baseUrl] = process.argv;
const client = new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey: "unused", maxRetries: 0 });
const model = "llama3.2";
const sessions = 5;
const turnsMax = 4;
const triesMax = 100;

const knowledge = [
  "Refunds take five days.",
  "The archive opens at nine.",
  "Ada leads onboarding.",
];

const stringParameter = (name) => ({
  type: "object",
  properties: { [name]: { type: "string" } },
  required: [name],
});
const tools = [
  ["search_knowledge", "query"],
  ["update_progress", "note"],
].map(([name, parameter]) => ({
  type: "function",
  function: { name, parameters: stringParameter(parameter) },
}));

/** Asks again while nobody is there, or when an answer breaks off. */
async function patiently(ask) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (cause) {
      if (cause instanceof OpenAI.APIError && cause.status !== undefined && cause.status < 500) {
        throw cause;
      }
      if (tries >= triesMax) throw cause;
    }
    await delay(100);
  }
}

async function embed(input) {
  const answer = await patiently(() =>
    client.embeddings.create({ model: "nomic-embed-text", input, encoding_format: "float" }),
  );
  return answer.data.map(({ embedding }) => embedding);
}

const likeness = (one, other) => one.reduce((sum, value, i) => sum + value * other[i], 0);

const vectors = await embed(knowledge);

async function search(query) {
  const [wanted] = await embed([query]);
  const scores = vectors.map((vector) => likeness(wanted, vector));
  return knowledge[scores.indexOf(Math.max(...scores))];
}

async function run({ name, arguments: given }) {
  const words = Object.values(JSON.parse(given));
  return name === "search_knowledge" ? await search(String(words[0] ?? "")) : "noted";
}

/** One streamed answer, gathered: its words and its tool calls. */
function turn(messages) {
  return patiently(async () => {
    const stream = client.chat.completions.stream({ model, messages, tools });
    const { choices } = await stream.finalChatCompletion();
    return choices[0].message;
  });
}

async function converse(id) {
  const messages = [
    { role: "system", content: "You help people who are new here." },
    { role: "user", content: `Please use tool. I am number ${id}: who leads onboarding?` },
  ];
  const calls = [];
  for (let turns = 1; turns <= turnsMax; turns += 1) {
    const { content, tool_calls: wanted = [] } = await turn(messages);
    if (wanted.length === 0) return { id, turns, calls, answer: content };
    messages.push({ role: "assistant", content: content ?? "", tool_calls: wanted });
    for (const call of wanted) {
      calls.push(call.function.name);
      const result = await run(call.function);
      messages.push({ role: "tool", tool_call_id: call.id, content: result });
    }
  }
  throw new Error(`session ${id}: the model wants tools without an end`);
}

for (const session of await Promise.all(
  Array.from({ length: sessions }, (_each, id) => converse(id)),
)) {
  process.stdout.write(`${JSON.stringify(session)}\n`);
}
