import { AnthropicPresenter, anthropicError } from "./anthropic-presenter.ts";
import { bindBody, flagOf, listOf, numberOf, objectOf, textOf } from "./bind-body.ts";
import type { Bound } from "./go-bind.ts";
import { chat } from "./handle-native.ts";
import { contentText } from "./message-text.ts";
import { requestStructs } from "./request-structs.ts";
import type { Call } from "./sim-core.ts";

type Fields = Bound["fields"];

/** POST /v1/messages. The built-in web_search tool is taken for an ordinary one. */
export async function handleMessages(call: Call): Promise<void> {
  const { reply } = call.exchange;
  const bound = bindBody(call.payload, requestStructs.messages);
  const wrong =
    bound.kind === "error"
      ? bound.message
      : (badContent(bound.fields) ?? missingField(bound.fields));
  if (bound.kind === "error" || wrong !== null) {
    return reply.json(400, anthropicError(400, wrong ?? ""));
  }
  const { fields } = bound;
  const model = textOf(fields, "model");
  const messages = listOf(fields, "messages");
  const system = contentText(fields.system);
  const isStreaming = flagOf(fields, "stream") ?? false;
  const presenter = new AnthropicPresenter(model, estimateTokens(system, messages), isStreaming);
  const think = readThinking(fields);
  const native = {
    model,
    messages: system === "" ? messages : [{ role: "system", content: system }, ...messages],
    tools: listOf(fields, "tools"),
    stream: isStreaming,
    options: {
      num_predict: numberOf(fields, "max_tokens"),
      ...(listOf(fields, "stop_sequences").length > 0 && { stop: fields.stop_sequences }),
    },
    ...(think !== null && { think }),
  };
  await chat(call, native, () => presenter, true);
}

function missingField(fields: Fields): string | null {
  if (textOf(fields, "model") === "") return "model is required";
  if ((numberOf(fields, "max_tokens") ?? 0) <= 0)
    return "max_tokens is required and must be positive";
  return listOf(fields, "messages").length === 0 ? "messages is required" : null;
}

/** Go's words for a content that is neither a string nor a list. */
function badContent(fields: Fields): string | null {
  for (const message of listOf(fields, "messages")) {
    const { content } = message as Fields;
    if (content === undefined) return "unexpected end of JSON input";
    if (typeof content === "string" || Array.isArray(content) || content === null) continue;
    const kind = typeof content === "boolean" ? "bool" : typeof content;
    const field = "Go struct field MessagesRequest.messages of type []anthropic.ContentBlock";
    return `json: cannot unmarshal ${kind} into ${field}`;
  }
  return null;
}

function readThinking(fields: Fields): boolean | string | null {
  const { type } = objectOf(fields, "thinking");
  if (type === "enabled") return true;
  if (type === "disabled") return false;
  const effort = textOf(objectOf(fields, "output_config"), "effort").trim().toLowerCase();
  const nearest = effort === "xhigh" ? "high" : effort;
  return ["high", "medium", "low", "max"].includes(nearest) ? nearest : null;
}

/** A quarter of the characters, as Ollama estimates before it knows. */
function estimateTokens(system: string, messages: readonly unknown[]): number {
  const characters = messages.reduce<number>((sum, message) => {
    const { role, content } = message as Fields;
    return sum + String(role ?? "").length + contentText(content).length;
  }, system.length);
  return Math.max(1, Math.floor(characters / 4));
}
