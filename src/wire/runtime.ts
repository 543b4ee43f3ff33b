import { z } from "zod";

/**
 * The requests of the runtime-LLM API. Members that are not named here are passed over, as FastAPI
 * passes over them.
 */

const message = z.looseObject({
  role: z.enum(["system", "user", "assistant", "tool"]),
  content: z.string(),
});

/** A JSON Schema is an object; OpenAI's two wrappings are understood too. */
export const responseFormat = z.union([z.enum(["text", "json"]), z.looseObject({})]);

/** What a chat and an item of a batch have in common. */
const generation = {
  system_prompt: z.string().nullish(),
  messages: z.array(message).min(1),
  temperature: z.number().min(0).max(10).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  max_tokens: z.int().positive().nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
  options: z.record(z.string(), z.unknown()).nullish(),
  think: z.union([z.boolean(), z.string()]).nullish(),
  response_format: responseFormat.nullish(),
  fallback: z.union([z.object({ content: z.string() }), z.object({ json: z.unknown() })]).nullish(),
};

const provider = z.enum(["auto", "ollama", "nemoclaw", "deterministic_fallback"]);

export const chatRequest = z.object({
  provider: provider.nullish(),
  model: z.string().min(1).nullish(),
  /** As of a batch, for the routing rule. */
  job_type: z.string().nullish(),
  ...generation,
});

/** All of a batch but its items, which are read one by one. */
export const batchHead = z.object({
  provider: provider.nullish(),
  model: z.string().min(1).nullish(),
  job_type: z.string().min(1).max(200),
  requires_approval: z.boolean().nullish(),
});

export const batchItem = z.object({
  request_id: z.string().min(1).max(200),
  ...generation,
});

export type ChatRequest = z.output<typeof chatRequest>;
export type BatchHead = z.output<typeof batchHead>;
export type BatchItem = z.output<typeof batchItem>;
