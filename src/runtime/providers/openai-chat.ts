import { chatCompletion, modelList } from "../../wire/openai.ts";
import { imageTypeOf } from "../../wire/runtime-message.ts";
import {
  failure,
  type GenerationOutcome,
  type GenerationRequest,
  type Message,
  type ResponseFormat,
} from "../generation.ts";

/** More models than anybody offers; a list of millions would only be carried about. */
const modelsMax = 1_000;

/**
 * The body for OpenAI's chat/completions, answered in one piece. Ollama's own options and `think`
 * have no counterpart there that every server knows.
 * Source: OpenAI's API reference, chat completions, read 2026-11.
 */
export function openaiChat(request: GenerationRequest, model: string): string {
  const format = formatOf(request.responseFormat);
  return JSON.stringify({
    model,
    messages: request.messages.map(openaiMessage),
    stream: false,
    ...request.sampling,
    ...(format !== null && { response_format: format }),
  });
}

/** Images stand in a message as parts of it, in `data:` URLs. */
function openaiMessage({ content, images = [], role }: Message): object {
  if (images.length === 0) return { role, content };
  const pictures = images.map((image) => {
    const url = `data:${imageTypeOf(image) ?? "image/png"};base64,${image}`;
    return { type: "image_url", image_url: { url } };
  });
  return { role, content: [{ type: "text", text: content }, ...pictures] };
}

/** The schema is not called strict: that would forbid most of what a JSON Schema may say. */
function formatOf(format: ResponseFormat): object | null {
  switch (format.kind) {
    case "text":
      return null;
    case "json":
      return { type: "json_object" };
    case "schema":
      return { type: "json_schema", json_schema: { name: "answer", schema: format.schema } };
    default:
      return format satisfies never;
  }
}

/** What a 200 of chat/completions says. `model` is the one asked for. */
export function readChatCompletion(body: string, model: string): GenerationOutcome {
  const parsed = chatCompletion.safeParse(jsonOf(body));
  if (!parsed.success) return failure("provider_failed", "the answer is no chat completion");
  const [choice] = parsed.data.choices;
  const content = choice?.message.content;
  if (typeof content !== "string") {
    return failure("provider_failed", "the answer has no text in it");
  }
  const { usage } = parsed.data;
  return {
    kind: "answered",
    content,
    model: parsed.data.model ?? model,
    usage: {
      prompt_tokens: usage?.prompt_tokens ?? null,
      completion_tokens: usage?.completion_tokens ?? null,
    },
    finishReason: choice?.finish_reason ?? null,
  };
}

/** The names in a list of models; null for what is none. */
export function readModelList(body: string): readonly string[] | null {
  const parsed = modelList.safeParse(jsonOf(body));
  return parsed.success ? parsed.data.data.slice(0, modelsMax).map(({ id }) => id) : null;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
