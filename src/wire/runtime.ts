import { z } from "zod";
import { providerIds } from "./provider-id.ts";
import { runtimeLimits } from "./runtime-limits.ts";
import { message } from "./runtime-message.ts";

// The requests of the runtime-LLM API. Members that are not named here are passed over, as FastAPI
// passes over them, but for those whose passing over would change what the answer is.

const providerId = z.enum(providerIds);

const providerWish = z.enum(["auto", ...providerIds]).meta({
  description: "`auto`, as when it is left out: by the routing rule",
});

const modelName = z.string().min(1).max(runtimeLimits.modelLength);

const jobType = z.string().min(1).max(runtimeLimits.jobTypeLength);

/** OpenAI's wrapping, which `type` announces. */
const wrappedSchema = z.object({ json_schema: z.object({ schema: z.looseObject({}) }) });

/** The form alone; whether a schema can be checked is found out by compiling it. */
const responseFormat = z
  .union([z.enum(["text", "json"]), z.looseObject({})], {
    error:
      'Input should be "text", "json", {"type":"json_object"}, ' +
      '{"type":"json_schema","json_schema":{"schema":{…}}} or a JSON Schema',
  })
  .superRefine((given, context) => {
    if (typeof given === "string" || given.type !== "json_schema") return;
    if (wrappedSchema.safeParse(given).success) return;
    const path = ["json_schema", "schema"];
    context.addIssue({ code: "custom", path, message: "Input should be a JSON Schema" });
  })
  .meta({
    id: "ResponseFormat",
    description:
      '`"text"`, `"json"`, OpenAI\'s `json_object` and `json_schema`, or a bare JSON Schema ' +
      "(2020-12, or draft-07 if `$schema` says so)",
  });

const fallback = z
  .object({ content: z.string().optional(), json: z.unknown().optional() })
  .refine((given) => Object.hasOwn(given, "content") !== Object.hasOwn(given, "json"), {
    error: "a fallback has either content or json",
  })
  .meta({ description: "What `deterministic_fallback` answers: `content` or `json`" });

const option = z.union([z.number(), z.boolean(), z.string(), z.array(z.string())], {
  error: "an option is a number, a boolean, a string or a list of strings",
});

/** What a chat and an item of a batch have in common. */
const generation = {
  system_prompt: z.string().nullish(),
  messages: z.array(message).min(1),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  max_tokens: z.int().min(1).nullish(),
  seed: z.int().nullish(),
  stop: z
    .union([z.string(), z.array(z.string()).max(runtimeLimits.stopSequences)], {
      error: "Input should be a string or a list of strings",
    })
    .nullish(),
  options: z
    .record(z.string(), option)
    .nullish()
    .meta({ description: "Ollama's own options, such as `num_ctx`" }),
  think: z
    .union([z.boolean(), z.enum(["low", "medium", "high", "max"])], {
      error: 'Input should be a boolean, "low", "medium", "high" or "max"',
    })
    .nullish(),
  response_format: responseFormat.nullish(),
  fallback: fallback.nullish(),
  stream: z
    .literal(false, { error: "answers are not streamed here; /v1/chat/completions streams" })
    .nullish(),
  tools: z
    .array(z.never())
    .max(0, { error: "no tools are offered here; /v1/chat/completions takes them" })
    .nullish(),
};

/** `POST /api/runtime/llm/chat`. */
export const chatRequest = z
  .object({
    provider: providerWish.nullish(),
    model: modelName.nullish(),
    job_type: jobType.nullish().meta({ description: "As of a batch, for the routing rule" }),
    ...generation,
  })
  .meta({ id: "ChatRequest" });

/** All of a batch but its items, which are read one by one as they come in. */
export const batchHead = z.object({
  provider: providerWish.nullish(),
  model: modelName.nullish(),
  job_type: jobType,
  requires_approval: z.boolean().nullish(),
});

/** The id of an item stands in a path, as one part of it. */
const requestId = z
  .string()
  .min(1)
  .max(runtimeLimits.requestIdLength)
  .refine((id) => !/[\p{Cc}\p{Cs}/\\]|^\.{1,2}$/u.test(id), {
    error: "a request_id has neither slashes nor control characters",
  });

export const batchItem = z
  .object({ request_id: requestId, ...generation })
  .meta({ id: "BatchItem" });

/** `POST /api/runtime/llm/batch`, for its description: a batch is never parsed whole. */
export const batchRequest = batchHead
  .extend({ items: z.array(batchItem).min(1).max(runtimeLimits.batchItems) })
  .meta({ id: "BatchRequest" });

const switchNote = z
  .string()
  .max(runtimeLimits.noteLength)
  .nullish()
  .meta({ description: "Why, for whoever reads the changes later" });

/** `PUT /api/runtime/llm/providers/order`: each provider once, the first to be asked first. */
export const providerOrder = z
  .object({
    order: z
      .array(providerId)
      .superRefine((order, context) => {
        const missing = providerIds.filter((id) => !order.includes(id));
        if (missing.length > 0) context.addIssue(`the order lacks ${missing.join(", ")}`);
        const again = order.filter((id, i) => order.indexOf(id) !== i);
        if (again.length > 0) context.addIssue(`the order names ${again.join(", ")} twice`);
      })
      .nullable()
      .meta({ description: "null gives the order back to the routing rule" }),
    note: switchNote,
  })
  .meta({ id: "ProviderOrder" });

/** `PATCH /api/runtime/llm/providers/{id}`: what is named changes, the rest stays. */
export const providerPatch = z
  .object({
    enabled: z.boolean().optional(),
    models: z
      .record(modelName, z.boolean())
      .refine((models) => Object.keys(models).length <= runtimeLimits.modelsSwitched, {
        error: `at most ${runtimeLimits.modelsSwitched} models are switched at once`,
      })
      .optional()
      .meta({ description: "Switches models of the provider on or off, by name" }),
    note: switchNote,
  })
  .refine(({ enabled, models = {} }) => enabled !== undefined || Object.keys(models).length > 0, {
    error: "nothing is changed: give enabled or models",
  })
  .meta({ id: "ProviderPatch" });

/** `POST …/results/{request_id}/approve` and `reject`; an empty body will do. */
export const approvalRequest = z
  .object({
    by: z
      .string()
      .min(1)
      .max(runtimeLimits.requestIdLength)
      .nullish()
      .meta({ description: "Who decided; the client, if left out" }),
    note: z.string().max(runtimeLimits.noteLength).nullish(),
  })
  .prefault({})
  .meta({ id: "ApprovalRequest" });

export type ChatRequest = z.output<typeof chatRequest>;
export type BatchHead = z.output<typeof batchHead>;
export type BatchItem = z.output<typeof batchItem>;
