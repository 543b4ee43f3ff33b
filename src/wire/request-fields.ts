/** The generation routes whose bodies foreman reads. */
export type RequestKind =
  | "generate"
  | "chat"
  | "openai-chat"
  | "openai-completion"
  | "openai-responses"
  | "anthropic-messages";

/** A Go type as Go's error texts print it, or one that has its own decoder, or a nested struct. */
export type FieldType = string | GoStruct;

/**
 * A Go struct that Ollama decodes a body into. `any` and `raw` take every value; `duration`,
 * `think` and `input` have decoders of their own.
 */
export type GoStruct = {
  /** As in "Go struct field ChatRequest.stream". */
  readonly name: string;
  /** As in "Go value of type api.ChatRequest". */
  readonly goType: string;
  readonly fields: Readonly<Record<string, FieldType>>;
};

const anyMap = "map[string]interface {}";

const streamOptions: GoStruct = {
  name: "StreamOptions",
  goType: "openai.StreamOptions",
  fields: { include_usage: "bool" },
};

const reasoning: GoStruct = {
  name: "Reasoning",
  goType: "openai.Reasoning",
  fields: { effort: "string" },
};

const responsesReasoning: GoStruct = {
  name: "ResponsesReasoning",
  goType: "openai.ResponsesReasoning",
  fields: { effort: "string", generate_summary: "string", summary: "string" },
};

const jsonSchema: GoStruct = {
  name: "JsonSchema",
  goType: "openai.JsonSchema",
  fields: { schema: "raw" },
};

const responseFormat: GoStruct = {
  name: "ResponseFormat",
  goType: "openai.ResponseFormat",
  fields: { type: "string", json_schema: jsonSchema },
};

const responsesTextFormat: GoStruct = {
  name: "ResponsesTextFormat",
  goType: "openai.ResponsesTextFormat",
  fields: { type: "string", name: "string", schema: "raw", strict: "bool" },
};

const responsesText: GoStruct = {
  name: "ResponsesText",
  goType: "openai.ResponsesText",
  fields: { format: responsesTextFormat },
};

const toolChoice: GoStruct = {
  name: "ToolChoice",
  goType: "anthropic.ToolChoice",
  fields: { type: "string", name: "string", disable_parallel_tool_use: "bool" },
};

const thinkingConfig: GoStruct = {
  name: "ThinkingConfig",
  goType: "anthropic.ThinkingConfig",
  fields: { type: "string", budget_tokens: "int" },
};

const metadata: GoStruct = {
  name: "Metadata",
  goType: "anthropic.Metadata",
  fields: { user_id: "string" },
};

const outputConfig: GoStruct = {
  name: "OutputConfig",
  goType: "anthropic.OutputConfig",
  fields: { effort: "string" },
};

/** What the two native requests have in common. */
const native = {
  model: "string",
  stream: "bool",
  format: "raw",
  keep_alive: "duration",
  options: anyMap,
  think: "think",
  truncate: "bool",
  shift: "bool",
  _debug_render_only: "bool",
  logprobs: "bool",
  top_logprobs: "int",
};

/**
 * The fields that Ollama reads, by kind of request. Source: Ollama api/types.go, openai/openai.go,
 * openai/responses.go, anthropic/anthropic.go; checked against test/fixtures/ollama-refusals.jsonl.
 */
export const requestStructs: Readonly<Record<RequestKind, GoStruct>> = {
  generate: {
    name: "GenerateRequest",
    goType: "api.GenerateRequest",
    fields: {
      ...native,
      prompt: "string",
      suffix: "string",
      system: "string",
      template: "string",
      context: "[]int",
      raw: "bool",
      images: "[]api.ImageData",
    },
  },
  chat: {
    name: "ChatRequest",
    goType: "api.ChatRequest",
    fields: { ...native, messages: "[]api.Message", tools: "api.Tools" },
  },
  "openai-chat": {
    name: "ChatCompletionRequest",
    goType: "openai.ChatCompletionRequest",
    fields: {
      model: "string",
      messages: "[]openai.Message",
      stream: "bool",
      stream_options: streamOptions,
      max_tokens: "int",
      seed: "int",
      stop: "any",
      temperature: "float64",
      frequency_penalty: "float64",
      presence_penalty: "float64",
      top_p: "float64",
      response_format: responseFormat,
      tools: "[]api.Tool",
      reasoning,
      reasoning_effort: "string",
      logprobs: "bool",
      top_logprobs: "int",
      _debug_render_only: "bool",
    },
  },
  "openai-completion": {
    name: "CompletionRequest",
    goType: "openai.CompletionRequest",
    fields: {
      model: "string",
      prompt: "string",
      frequency_penalty: "float32",
      max_tokens: "int",
      presence_penalty: "float32",
      seed: "int",
      stop: "any",
      stream: "bool",
      stream_options: streamOptions,
      temperature: "float32",
      top_p: "float32",
      suffix: "string",
      logprobs: "int",
      _debug_render_only: "bool",
    },
  },
  "openai-responses": {
    name: "ResponsesRequest",
    goType: "openai.ResponsesRequest",
    fields: {
      model: "string",
      background: "bool",
      conversation: "raw",
      include: "[]string",
      input: "input",
      instructions: "string",
      max_output_tokens: "int",
      reasoning: responsesReasoning,
      temperature: "float64",
      text: responsesText,
      top_p: "float64",
      truncation: "string",
      tools: "[]openai.ResponsesTool",
      stream: "bool",
    },
  },
  "anthropic-messages": {
    name: "MessagesRequest",
    goType: "anthropic.MessagesRequest",
    fields: {
      model: "string",
      max_tokens: "int",
      messages: "[]anthropic.MessageParam",
      system: "any",
      stream: "bool",
      temperature: "float64",
      top_p: "float64",
      top_k: "int",
      stop_sequences: "[]string",
      tools: "[]anthropic.Tool",
      tool_choice: toolChoice,
      thinking: thinkingConfig,
      metadata,
      output_config: outputConfig,
    },
  },
};
