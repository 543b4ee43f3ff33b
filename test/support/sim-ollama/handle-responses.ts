import { bindBody, flagOf, listOf, objectOf, textOf } from "./bind-body.ts";
import type { Bound } from "./go-bind.ts";
import { chat } from "./handle-native.ts";
import { options, readEffort } from "./handle-openai.ts";
import { answerOpenaiError } from "./openai-error.ts";
import { requestStructs } from "./request-structs.ts";
import { ResponsesPresenter } from "./responses-presenter.ts";
import type { Call } from "./sim-core.ts";

type Fields = Bound["fields"];

/** POST /v1/responses. The built-in web_search tool is taken for an ordinary one. */
export async function handleResponses(call: Call): Promise<void> {
  const { reply } = call.exchange;
  const bound = bindBody(call.payload, requestStructs.responses);
  if (bound.kind === "error") return answerOpenaiError(reply, 400, bound.message, "layer");
  const { fields } = bound;
  const think = readEffort(textOf(objectOf(fields, "reasoning"), "effort"));
  const messages = readInput(fields);
  const wrong = typeof messages === "string" ? messages : think.error;
  if (wrong !== null) return answerOpenaiError(reply, 400, wrong, "layer");
  const model = textOf(fields, "model");
  const presenter = new ResponsesPresenter({
    responseId: `resp_${Math.floor(Math.random() * 999_999)}`,
    itemId: `msg_${Math.floor(Math.random() * 999_999)}`,
    model,
    isStreaming: flagOf(fields, "stream") ?? false,
    request: fields,
  });
  const format = objectOf(objectOf(fields, "text"), "format");
  const native = {
    model,
    messages,
    tools: listOf(fields, "tools"),
    stream: flagOf(fields, "stream") ?? false,
    format: format.type === "json_schema" ? (format.schema ?? null) : null,
    options: options(fields, "max_output_tokens"),
    ...(think.value !== null && { think: think.value }),
  };
  await chat(call, native, () => presenter, false);
}

/** The input as chat messages, or what is wrong with it. */
function readInput(fields: Fields): readonly unknown[] | string {
  const { input } = fields;
  const instructions = textOf(fields, "instructions");
  const system = instructions === "" ? [] : [{ role: "system", content: instructions }];
  if (input === undefined) return system;
  if (typeof input === "string") {
    return input === "" ? system : [...system, { role: "user", content: input }];
  }
  if (!Array.isArray(input)) {
    const type = "[]json.RawMessage";
    const kind = typeof input === "boolean" ? "bool" : typeof input;
    const cause = `json: cannot unmarshal ${kind} into Go value of type ${type}`;
    return `input must be a string or array: ${cause}`;
  }
  const strange = input.findIndex((item) => typeof item !== "object" || Array.isArray(item));
  if (strange < 0) return [...system, ...input.map(readItem)];
  const kind = Array.isArray(input[strange]) ? "array" : typeof input[strange];
  const type = 'struct { Type string "json:\\"type\\""; Role string "json:\\"role\\"" }';
  return `input[${strange}]: json: cannot unmarshal ${kind} into Go value of type ${type}`;
}

function readItem(item: unknown): unknown {
  const fields = item as Fields;
  if (fields.type === "function_call_output") return { role: "tool", content: fields.output };
  if (fields.type === "function_call") return { role: "assistant", content: fields.arguments };
  return { role: fields.role, content: fields.content };
}
