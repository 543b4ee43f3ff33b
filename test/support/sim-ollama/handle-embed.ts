import { bindBody, bindNativeBody, numberOf, objectOf, textOf } from "./bind-body.ts";
import { type EmbedFailure, embedTexts, findForEmbed } from "./embed-run.ts";
import { floatsToBase64 } from "./embedding.ts";
import type { Bound } from "./go-bind.ts";
import { goTrim } from "./go-text.ts";
import { answerOpenaiError } from "./openai-error.ts";
import type { Reply } from "./reply.ts";
import { goJson } from "./reply.ts";
import { requestStructs } from "./request-structs.ts";
import type { Call } from "./sim-core.ts";

type Fields = Bound["fields"];

const jsonHeaders = [["Content-Type", "application/json; charset=utf-8"]] as const;

/** POST /api/embed. */
export async function handleEmbed(call: Call): Promise<void> {
  const { reply } = call.exchange;
  const bound = bindNativeBody(call.payload, requestStructs.embed);
  if (bound.kind === "error") return reply.json(400, { error: bound.message });
  const done = await embedInput(call, bound.fields);
  if (done === null) return;
  if (done.kind === "error") return reply.json(done.status, { error: done.message });
  const model = goJson(textOf(bound.fields, "model"));
  if (done.vectors.length === 0) {
    return reply.body(200, `{"model":${model},"embeddings":[]}`, jsonHeaders);
  }
  // Put together from ready texts: 8 KB of digits are not to be printed anew for each request.
  const times = `"total_duration":${done.totalNs},"load_duration":${done.loadNs}`;
  const count = `"prompt_eval_count":${done.tokens}`;
  const vectors = `[${done.vectors.join(",")}]`;
  reply.body(200, `{"model":${model},"embeddings":${vectors},${times},${count}}`, jsonHeaders);
}

/** POST /api/embeddings, the old way: one prompt, one vector. */
export async function handleEmbeddings(call: Call): Promise<void> {
  const { reply } = call.exchange;
  const bound = bindNativeBody(call.payload, requestStructs.embeddings);
  if (bound.kind === "error") return reply.json(400, { error: bound.message });
  const { fields } = bound;
  const found = findForEmbed(call, textOf(fields, "model"), {
    status: 400,
    message: "model is required",
  });
  if (found.kind === "error") return reply.json(found.status, { error: found.message });
  const prompt = textOf(fields, "prompt");
  const texts = prompt === "" ? [] : [prompt];
  const done = await embedTexts(call, { found, texts, ...embedOptions(fields) });
  if (done === null) return;
  // The old route knows only one status for what goes wrong in the runner.
  if (done.kind === "error") {
    return reply.json(done.status === 503 ? 503 : 500, { error: done.message });
  }
  reply.body(200, `{"embedding":${done.vectors[0] ?? "[]"}}`, jsonHeaders);
}

/** POST /v1/embeddings. */
export async function handleOpenaiEmbed(call: Call): Promise<void> {
  const { reply } = call.exchange;
  const bound = bindBody(call.payload, requestStructs.openaiEmbed);
  if (bound.kind === "error") return answerOpenaiError(reply, 400, bound.message, "layer");
  const { fields } = bound;
  const encoding = textOf(fields, "encoding_format");
  const wrong = refuse(fields, encoding);
  if (wrong !== null) return answerOpenaiError(reply, 400, wrong, "layer");
  const input = fields.input === "" ? [""] : fields.input;
  const done = await embedInput(call, { ...fields, input });
  if (done === null) return;
  if (done.kind === "error") return failOpenai(reply, done);
  const isBase64 = encoding.toLowerCase() === "base64";
  const items = done.vectors.map((vector, index) => {
    const shown = isBase64 ? goJson(floatsToBase64(JSON.parse(vector) as number[])) : vector;
    return `{"object":"embedding","embedding":${shown},"index":${index}}`;
  });
  const usage = `{"prompt_tokens":${done.tokens},"total_tokens":${done.tokens}}`;
  const model = goJson(textOf(fields, "model"));
  const text = `{"object":"list","data":[${items.join(",")}],"model":${model},"usage":${usage}}\n`;
  reply.body(200, text, [["Content-Type", "application/json"]]);
}

function failOpenai(reply: Reply, failure: EmbedFailure): void {
  const { status, message } = failure;
  if (failure.isFromCloud) reply.json(status, { error: message });
  else answerOpenaiError(reply, status, message, "handler");
}

function refuse(fields: Fields, encoding: string): string | null {
  if (!["", "float", "base64"].includes(encoding.toLowerCase())) {
    const supported = "Supported values: ['float', 'base64'].";
    return `Invalid value for 'encoding_format' = ${encoding}. ${supported}`;
  }
  const { input } = fields;
  const isEmpty = input === undefined || (Array.isArray(input) && input.length === 0);
  return isEmpty ? "invalid input" : null;
}

async function embedInput(call: Call, fields: Fields) {
  const text = textOf(fields, "model");
  const required = { status: 404, message: `model '${text}' not found` };
  const texts = readTexts(fields.input);
  const found = findForEmbed(call, text, required);
  // A bad name is noticed before a bad input, and that before an unknown model.
  const isUnknown = found.kind === "error" && found.status === 404 && goTrim(text) !== "";
  if (texts === null && (found.kind === "model" || isUnknown)) {
    return { kind: "error", status: 400, message: "invalid input type" } as const;
  }
  if (found.kind === "error") return found;
  return embedTexts(call, { found, texts: texts ?? [], ...embedOptions(fields) });
}

function readTexts(input: unknown): readonly string[] | null {
  if (input === undefined || input === "") return [];
  if (typeof input === "string") return [input];
  const isList = Array.isArray(input) && input.every((each) => typeof each === "string");
  return isList ? (input as string[]) : null;
}

function embedOptions(fields: Fields) {
  return {
    options: objectOf(fields, "options"),
    keepAliveMs: numberOf(fields, "keep_alive"),
    isTruncating: fields.truncate !== false,
    dimensions: numberOf(fields, "dimensions") ?? 0,
  };
}
