import { loadOptionsText } from "../../wire/load-options.ts";
import type { GenerationRequest, ResponseFormat } from "../generation.ts";

/** A request for Ollama's `/api/chat`. */
export type NativeChat = {
  readonly body: Buffer;
  /** See `canonicalLoadOptions`. */
  readonly loadOptions: string;
};

type NativeChatOptions = {
  readonly model: string;
  /** How long the model is to stay loaded, as `FOREMAN_KEEP_ALIVE` has it; null to say nothing. */
  readonly keepAlive: string | null;
};

/**
 * The body that asks Ollama for a generation. It is streamed, whoever reads it: a generation that
 * sends nothing for long is taken for stalled. Of sampling that stands in `options` too, the
 * request's own word counts.
 * Source: Ollama api/types.go (ChatRequest, Options), v0.33.
 */
export function nativeChat(request: GenerationRequest, options: NativeChatOptions): NativeChat {
  const { messages, sampling, think } = request;
  const { max_tokens: num_predict, ...others } = sampling;
  const chosen = {
    ...request.options,
    ...others,
    ...(num_predict !== undefined && { num_predict }),
  };
  const format = formatOf(request.responseFormat);
  const document = {
    model: options.model,
    messages,
    stream: true,
    ...(format !== null && { format }),
    ...(Object.keys(chosen).length > 0 && { options: chosen }),
    ...(think !== null && { think }),
    ...(options.keepAlive !== null && { keep_alive: keepAliveOf(options.keepAlive) }),
  };
  return {
    body: Buffer.from(JSON.stringify(document)),
    loadOptions: loadOptionsText(new Map(Object.entries(chosen)), null),
  };
}

function formatOf(format: ResponseFormat): "json" | object | null {
  switch (format.kind) {
    case "text":
      return null;
    case "json":
      return "json";
    case "schema":
      return format.schema;
    default:
      return format satisfies never;
  }
}

/** Seconds are a number to Ollama, and a duration is text. */
function keepAliveOf(value: string): number | string {
  return /^-?\d+$/.test(value) ? Number(value) : value;
}
