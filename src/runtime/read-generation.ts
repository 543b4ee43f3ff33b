import type { BatchItem, ChatRequest } from "../wire/runtime.ts";
import { readImage } from "../wire/runtime-message.ts";
import type { GenerationRequest, Message } from "./generation.ts";
import { readResponseFormat } from "./read-response-format.ts";

type Parsed = ChatRequest | BatchItem;

/**
 * What is asked of a model, from a chat or an item of a batch as it was parsed: the system prompt
 * in front, the texts of a message's parts in one piece, a line each, its images behind.
 */
export function readGeneration(parsed: Parsed): GenerationRequest {
  const { fallback, messages, options, response_format, system_prompt, think } = parsed;
  const system = system_prompt ? [{ role: "system", content: system_prompt }] : [];
  return {
    messages: [...system, ...messages.map(readMessage)],
    sampling: readSampling(parsed),
    options: options ?? {},
    think: think ?? null,
    responseFormat: readResponseFormat(response_format).format,
    fallback: fallback ? { content: fallback.content ?? JSON.stringify(fallback.json) } : null,
  };
}

function readMessage({ content, images, role }: Parsed["messages"][number]): Message {
  const parts = typeof content === "string" ? [] : content;
  const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  const urls = parts.flatMap((part) => (part.type === "image_url" ? [part.image_url.url] : []));
  const read = [...urls, ...(images ?? [])].map(readImage).filter(isGiven);
  return {
    role,
    content: typeof content === "string" ? content : texts.join("\n"),
    ...(read.length > 0 && { images: read }),
  };
}

function readSampling({ max_tokens, seed, stop, temperature, top_p }: Parsed) {
  return {
    ...(isGiven(temperature) && { temperature }),
    ...(isGiven(top_p) && { top_p }),
    ...(isGiven(max_tokens) && { max_tokens }),
    ...(isGiven(seed) && { seed }),
    ...(isGiven(stop) && { stop: typeof stop === "string" ? [stop] : stop }),
  };
}

function isGiven<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined;
}
