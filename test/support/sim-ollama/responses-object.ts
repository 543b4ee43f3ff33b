import { type AnswerEnd, unixSeconds } from "./presenter.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What the answer repeats of its request. */
export type ResponsesEcho = {
  readonly responseId: string;
  readonly itemId: string;
  readonly model: string;
  readonly isStreaming: boolean;
  /** The bound request. */
  readonly request: Fields;
};

export type ResponsesState = {
  readonly status: "in_progress" | "completed";
  readonly output: readonly unknown[];
  readonly end: AnswerEnd | null;
  readonly isCompleted: boolean;
};

/** The `response` object of /v1/responses with every field that OpenAI's has. */
export function responseObject(echo: ResponsesEcho, state: ResponsesState): Fields {
  const { request } = echo;
  return {
    id: echo.responseId,
    object: "response",
    created_at: unixSeconds(),
    completed_at: state.isCompleted ? unixSeconds() : null,
    status: state.status,
    incomplete_details: null,
    model: echo.model,
    previous_response_id: null,
    instructions: request.instructions || null,
    output: state.output,
    error: null,
    tools: request.tools ?? [],
    tool_choice: "auto",
    truncation: request.truncation ?? "disabled",
    parallel_tool_calls: true,
    text: { format: textFormat(request) },
    top_p: request.top_p ?? 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    top_logprobs: 0,
    temperature: request.temperature ?? 1,
    reasoning: reasoning(request),
    usage: state.end === null ? null : usage(state.end),
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: null,
    store: false,
    background: request.background ?? false,
    service_tier: "default",
    metadata: {},
    safety_identifier: null,
    prompt_cache_key: null,
  };
}

function textFormat(request: Fields): unknown {
  const text = request.text as Fields | undefined;
  return text?.format ?? { type: "text" };
}

function reasoning(request: Fields): unknown {
  const { effort, summary } = (request.reasoning ?? {}) as Fields;
  return effort || summary ? { effort: effort ?? null, summary: summary ?? null } : null;
}

function usage(end: AnswerEnd): Fields {
  return {
    input_tokens: end.promptTokens,
    output_tokens: end.completionTokens,
    total_tokens: end.promptTokens + end.completionTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens_details: { reasoning_tokens: 0 },
  };
}
