import type { GoFields, GoType } from "./go-bind.ts";

/** The request structs of Ollama 0.33 (api/types.go, openai/, anthropic/): names show in errors. */
export type RequestStruct = { readonly name: string; readonly fields: GoFields };

const string: GoType = { kind: "string" };
const bool: GoType = { kind: "bool" };
const int: GoType = { kind: "int" };
const float64: GoType = { kind: "float64" };
const float32: GoType = { kind: "float64", name: "float32" };
const any: GoType = { kind: "any" };
const map: GoType = { kind: "map" };
const duration: GoType = { kind: "duration" };
const think: GoType = { kind: "think" };
const strings: GoType = { kind: "slice", name: "[]string", item: string };

function slice(name: string, item: GoType): GoType {
  return { kind: "slice", name, item };
}

function struct(name: string, fields: GoFields): GoType {
  return { kind: "struct", name, fields };
}

const images = slice("[]api.ImageData", { kind: "base64" });
const message: GoType = {
  kind: "struct",
  name: "api.Alias",
  fields: {
    role: string,
    content: string,
    thinking: string,
    images,
    tool_calls: any,
    tool_name: string,
    tool_call_id: string,
  },
  isCustom: true,
};
const tools = slice("api.Tools", any);
const shared: GoFields = { model: string, keep_alive: duration, options: map };
const sampled: GoFields = {
  ...shared,
  stream: bool,
  format: any,
  think,
  truncate: bool,
  shift: bool,
  logprobs: bool,
  top_logprobs: int,
  _debug_render_only: bool,
};
const named: GoFields = { model: string, name: string };
const textFormat = struct("openai.ResponsesTextFormat", {
  type: string,
  name: string,
  schema: any,
  strict: bool,
});
const toolChoice = struct("anthropic.ToolChoice", {
  type: string,
  name: string,
  disable_parallel_tool_use: bool,
});
const openaiMessage: GoFields = { role: string, content: any, tool_calls: any };
const streamOptions = struct("openai.StreamOptions", { include_usage: bool });

export const requestStructs = {
  generate: {
    name: "api.GenerateRequest",
    fields: {
      ...sampled,
      prompt: string,
      suffix: string,
      system: string,
      template: string,
      context: slice("[]int", int),
      raw: bool,
      images,
    },
  },
  chat: {
    name: "api.ChatRequest",
    fields: { ...sampled, messages: slice("[]api.Message", message), tools },
  },
  embed: {
    name: "api.EmbedRequest",
    fields: { ...shared, input: any, truncate: bool, dimensions: int },
  },
  embeddings: { name: "api.EmbeddingRequest", fields: { ...shared, prompt: string } },
  show: {
    name: "api.ShowRequest",
    fields: { ...named, system: string, template: string, verbose: bool, options: map },
  },
  pull: { name: "api.PullRequest", fields: { ...named, insecure: bool, stream: bool } },
  push: { name: "api.PushRequest", fields: { ...named, insecure: bool, stream: bool } },
  delete: { name: "api.DeleteRequest", fields: named },
  copy: { name: "api.CopyRequest", fields: { source: string, destination: string } },
  create: {
    name: "api.CreateRequest",
    fields: {
      ...named,
      stream: bool,
      from: string,
      remote_host: string,
      files: map,
      adapters: map,
      quantize: string,
      template: string,
      system: string,
      parameters: map,
      messages: slice("[]api.Message", message),
    },
  },
  openaiChat: {
    name: "openai.ChatCompletionRequest",
    fields: {
      model: string,
      messages: slice("[]openai.Message", struct("openai.Message", openaiMessage)),
      stream: bool,
      stream_options: streamOptions,
      max_tokens: int,
      seed: int,
      stop: any,
      temperature: float64,
      top_p: float64,
      frequency_penalty: float64,
      presence_penalty: float64,
      response_format: struct("openai.ResponseFormat", {
        type: string,
        json_schema: struct("openai.JsonSchema", { schema: any }),
      }),
      tools: slice("[]api.Tool", any),
      reasoning: struct("openai.Reasoning", { effort: string }),
      reasoning_effort: string,
      logprobs: bool,
      top_logprobs: int,
      _debug_render_only: bool,
    },
  },
  completion: {
    name: "openai.CompletionRequest",
    fields: {
      model: string,
      prompt: string,
      suffix: string,
      stream: bool,
      stream_options: streamOptions,
      max_tokens: int,
      seed: int,
      stop: any,
      temperature: float32,
      top_p: float32,
      frequency_penalty: float32,
      presence_penalty: float32,
      logprobs: int,
      _debug_render_only: bool,
    },
  },
  openaiEmbed: {
    name: "openai.EmbedRequest",
    fields: { model: string, input: any, dimensions: int, encoding_format: string },
  },
  responses: {
    name: "openai.ResponsesRequest",
    fields: {
      model: string,
      input: any,
      instructions: string,
      stream: bool,
      background: bool,
      max_output_tokens: int,
      temperature: float64,
      top_p: float64,
      truncation: string,
      reasoning: struct("openai.ResponsesReasoning", { effort: string, summary: string }),
      text: struct("openai.ResponsesText", { format: textFormat }),
      include: strings,
      tools: slice("[]openai.ResponsesTool", any),
    },
  },
  messages: {
    name: "anthropic.MessagesRequest",
    fields: {
      model: string,
      max_tokens: int,
      messages: slice("[]anthropic.MessageParam", any),
      system: any,
      stream: bool,
      temperature: float64,
      top_p: float64,
      top_k: int,
      stop_sequences: strings,
      tools: slice("[]anthropic.Tool", any),
      tool_choice: toolChoice,
      metadata: struct("anthropic.Metadata", { user_id: string }),
      thinking: struct("anthropic.ThinkingConfig", { type: string, budget_tokens: int }),
      output_config: struct("anthropic.OutputConfig", { effort: string }),
    },
  },
} as const satisfies Record<string, RequestStruct>;
