/** A response with its length, ready to be written to a socket. */
export function wholeAnswer(statusCode: number, contentType: string, body: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 ${statusCode} ${statusCode === 200 ? "OK" : "Not Found"}\r\n` +
      `Content-Type: ${contentType}\r\nDate: Fri, 20 Nov 2026 22:00:00 GMT\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const json = "application/json; charset=utf-8";

/** The digest of the chat model. */
const chatDigest = "a".repeat(64);

function model(name: string, digest: string) {
  return {
    name: `${name}:latest`,
    model: `${name}:latest`,
    modified_at: "2026-11-20T20:00:00Z",
    size: 4_000_000_000,
    digest,
    details: { format: "gguf", family: "llama", parameter_size: "7B" },
    capabilities: ["completion"],
  };
}

const models = [model("bench-chat", chatDigest), model("bench-embed", "b".repeat(64))];

const openaiModels = models.map(({ name }) => ({
  id: name,
  object: "model",
  created: 0,
  owned_by: "me",
}));

const loaded = models.map((entry) => ({
  ...entry,
  size_vram: entry.size,
  expires_at: "2318-01-01T00:00:00Z",
  context_length: 4096,
}));

/** 1,024 numbers. */
const vector = Array.from({ length: 1024 }, (_, i) => ((i * 7919) % 1e7) / 1e7 - 0.5)
  .map((number) => number.toFixed(9))
  .join(",");

/** What the routes of embeddings answer: one vector, filled up to so many bytes. */
const embedBytes = 16 * 2 ** 10;
const embedding = `{"model":"bench-embed","embeddings":[[${vector}]]}`.padEnd(embedBytes, " ");
const openaiEmbedding = (
  `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[${vector}]}],` +
  '"model":"bench-embed","usage":{"prompt_tokens":9,"total_tokens":9}}'
).padEnd(embedBytes, " ");

/** Every route whose answer never changes, as the bytes to be written. */
export const fixedAnswers: ReadonlyMap<string, Buffer> = new Map([
  ["/", wholeAnswer(200, "text/plain", "Ollama is running")],
  ["/api/version", wholeAnswer(200, json, '{"version":"0.33.0"}')],
  ["/api/tags", wholeAnswer(200, json, JSON.stringify({ models }))],
  ["/api/ps", wholeAnswer(200, json, JSON.stringify({ models: loaded }))],
  ["/v1/models", wholeAnswer(200, json, JSON.stringify({ object: "list", data: openaiModels }))],
  ["/api/embed", wholeAnswer(200, json, embedding)],
  ["/v1/embeddings", wholeAnswer(200, json, openaiEmbedding)],
]);
