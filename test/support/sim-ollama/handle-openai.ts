import { bindBody, flagOf, listOf, numberOf, objectOf, textOf } from "./bind-body.ts";
import { CompletionPresenter } from "./completion-presenter.ts";
import type { Bound } from "./go-bind.ts";
import { goQuote } from "./go-text.ts";
import { chat, generate } from "./handle-native.ts";
import { OpenaiChatPresenter } from "./openai-chat-presenter.ts";
import { answerOpenaiError } from "./openai-error.ts";
import { requestStructs } from "./request-structs.ts";
import type { Call } from "./sim-core.ts";

type Fields = Bound["fields"];

/** POST /v1/chat/completions. */
export async function handleOpenaiChat(call: Call): Promise<void> {
  const { reply } = call.exchange;
  const bound = bindBody(call.payload, requestStructs.openaiChat);
  if (bound.kind === "error") return answerOpenaiError(reply, 400, bound.message, "layer");
  const { fields } = bound;
  const messages = listOf(fields, "messages");
  const effort =
    textOf(objectOf(fields, "reasoning"), "effort") || textOf(fields, "reasoning_effort");
  const think = readEffort(effort);
  const wrong = messages.length === 0 ? tooShort : (badContent(messages) ?? think.error);
  if (wrong !== null) return answerOpenaiError(reply, 400, wrong, "layer");
  const model = textOf(fields, "model");
  const includeUsage = flagOf(objectOf(fields, "stream_options"), "include_usage") ?? false;
  const presenter = new OpenaiChatPresenter(model, includeUsage);
  const native = {
    model,
    messages,
    tools: listOf(fields, "tools"),
    top_logprobs: numberOf(fields, "top_logprobs"),
    stream: flagOf(fields, "stream") ?? false,
    format: responseFormat(fields),
    options: options(fields, "max_tokens"),
    ...(think.value !== null && { think: think.value }),
  };
  await chat(call, native, () => presenter, false);
}

/** POST /v1/completions. */
export async function handleCompletion(call: Call): Promise<void> {
  const { reply } = call.exchange;
  const bound = bindBody(call.payload, requestStructs.completion);
  if (bound.kind === "error") return answerOpenaiError(reply, 400, bound.message, "layer");
  const { fields } = bound;
  const strange = listOf(fields, "stop").find((each) => typeof each !== "string");
  if (strange !== undefined) {
    const type = goTypeName(strange);
    return answerOpenaiError(reply, 400, `invalid type for 'stop' field: ${type}`, "layer");
  }
  const model = textOf(fields, "model");
  const includeUsage = flagOf(objectOf(fields, "stream_options"), "include_usage") ?? false;
  const isStreaming = flagOf(fields, "stream") ?? false;
  const presenter = new CompletionPresenter(model, includeUsage, isStreaming);
  const native = {
    model,
    prompt: textOf(fields, "prompt"),
    suffix: textOf(fields, "suffix"),
    stream: isStreaming,
    options: options(fields, "max_tokens"),
  };
  await generate(call, native, () => presenter);
}

/** `num_predict`, `seed` and `stop` out of OpenAI's names for them. */
export function options(fields: Fields, limitName: string): Record<string, unknown> {
  const limit = numberOf(fields, limitName);
  const seed = numberOf(fields, "seed");
  const { stop } = fields;
  const stops = typeof stop === "string" ? [stop] : Array.isArray(stop) ? stop : [];
  return {
    ...(limit !== null && { num_predict: limit }),
    ...(seed !== null && { seed }),
    ...(stops.length > 0 && { stop: stops.filter((each) => typeof each === "string") }),
  };
}

type Effort = { readonly value: boolean | string | null; readonly error: string | null };

/** Ollama's `think` for an OpenAI reasoning effort; beyond its scale the nearest is taken. */
export function readEffort(effort: string): Effort {
  const known: Readonly<Record<string, boolean | string | null>> = {
    "": null,
    none: false,
    minimal: "low",
    low: "low",
    medium: "medium",
    high: "high",
    max: "max",
    xhigh: "max",
    ultra: "max",
  };
  const value = known[effort];
  if (value !== undefined) return { value, error: null };
  const allowed = '"minimal", "low", "medium", "high", "xhigh", "ultra", "max", or "none"';
  const error = `invalid reasoning value: ${goQuote(effort)} (must be ${allowed})`;
  return { value: null, error };
}

function responseFormat(fields: Fields): unknown {
  const wanted = objectOf(fields, "response_format");
  switch (textOf(wanted, "type").trim().toLowerCase()) {
    case "json_object":
      return "json";
    case "json_schema":
      return objectOf(wanted, "json_schema").schema ?? null;
    default:
      return null;
  }
}

const tooShort = "[] is too short - 'messages'";

/** A content is a string or a list of parts; only a tool call may do without one. */
function badContent(messages: readonly unknown[]): string | null {
  for (const message of messages) {
    const { content, tool_calls } = message as Fields;
    if (typeof content === "string" || Array.isArray(content) || tool_calls) continue;
    return `invalid message content type: ${goTypeName(content)}`;
  }
  return null;
}

function goTypeName(value: unknown): string {
  const names = { number: "float64", boolean: "bool", object: "map[string]interface {}" };
  return names[typeof value as keyof typeof names] ?? "<nil>";
}
