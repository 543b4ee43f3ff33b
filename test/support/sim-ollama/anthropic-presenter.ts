import { randomBytes } from "node:crypto";
import type { AnswerPiece, ToolCall } from "./answer-plan.ts";
import type { AnswerEnd, Presenter, WholeAnswer } from "./presenter.ts";
import { goJson, type Reply } from "./reply.ts";
import type { Headers } from "./wire.ts";

/** /v1/messages: content blocks that are started, filled and stopped, ending with message_stop. */
export class AnthropicPresenter implements Presenter {
  readonly streamHeaders = [
    ["Content-Type", "text/event-stream"],
    ["Cache-Control", "no-cache"],
    ["Connection", "keep-alive"],
  ] as const;
  readonly #model: string;
  readonly #id = `msg_${randomBytes(12).toString("hex")}`;
  readonly #estimatedTokens: number;
  readonly #errorHeaders: Headers;
  #open: "thinking" | "text" | null = null;
  #index = 0;
  #isStarted = false;
  #hasToolCall = false;

  /** The estimate stands in the first event, when the true count is not known yet. */
  constructor(model: string, estimatedTokens: number, isStreaming: boolean) {
    this.#model = model;
    this.#estimatedTokens = estimatedTokens;
    this.#errorHeaders = isStreaming ? this.streamHeaders.slice(1) : [];
  }

  piece(piece: AnswerPiece): readonly string[] {
    const frames = this.#start();
    if (piece.kind === "tool-call") return [...frames, ...this.#close(), ...this.#call(piece.call)];
    const type = piece.kind === "thinking" ? "thinking" : "text";
    if (this.#open !== type) frames.push(...this.#close(), ...this.#openBlock(type));
    const delta = { type: `${type}_delta`, [type]: piece.text };
    frames.push(sse("content_block_delta", { index: this.#index, delta }));
    return frames;
  }

  finish(end: AnswerEnd): readonly string[] {
    const delta = { stop_reason: this.#stopReason(end) };
    return [
      ...this.#start(),
      ...this.#close(),
      sse("message_delta", { delta, usage: usageOf(end) }),
      sse("message_stop", {}),
    ];
  }

  whole(reply: Reply, answer: WholeAnswer): void {
    if (answer.toolCalls.length > 0) this.#hasToolCall = true;
    const content = [
      ...(answer.thinking === "" ? [] : [{ type: "thinking", thinking: answer.thinking }]),
      ...(answer.content === "" ? [] : [{ type: "text", text: answer.content }]),
      ...answer.toolCalls.map(({ id, name, args }) => ({
        type: "tool_use",
        id,
        name,
        input: args,
      })),
    ];
    reply.encoded(200, {
      ...this.#head(),
      // Go's nil slice.
      content: content.length > 0 ? content : null,
      stop_reason: this.#stopReason(answer.end),
      usage: usageOf(answer.end),
    });
  }

  idle(reply: Reply): void {
    reply.empty(200);
  }

  error(reply: Reply, status: number, message: string): void {
    for (const [name, value] of this.#errorHeaders) reply.addHeader(name, value);
    reply.encoded(status, anthropicError(status, message));
  }

  /** Ollama emits nothing: the stream just ends. */
  errorFrames(): readonly string[] {
    return [];
  }

  #start(): string[] {
    if (this.#isStarted) return [];
    this.#isStarted = true;
    const usage = { input_tokens: this.#estimatedTokens, output_tokens: 0 };
    return [sse("message_start", { message: { ...this.#head(), content: [], usage } })];
  }

  #openBlock(type: "thinking" | "text"): string[] {
    this.#open = type;
    const block = { type, [type]: "" };
    return [sse("content_block_start", { index: this.#index, content_block: block })];
  }

  #close(): string[] {
    if (this.#open === null) return [];
    this.#open = null;
    const index = this.#index;
    this.#index += 1;
    return [sse("content_block_stop", { index })];
  }

  #call(call: ToolCall): string[] {
    this.#hasToolCall = true;
    const index = this.#index;
    this.#index += 1;
    const block = { type: "tool_use", id: call.id, name: call.name, input: {} };
    const delta = { type: "input_json_delta", partial_json: goJson(call.args) };
    return [
      sse("content_block_start", { index, content_block: block }),
      sse("content_block_delta", { index, delta }),
      sse("content_block_stop", { index }),
    ];
  }

  #head(): Record<string, unknown> {
    return { id: this.#id, type: "message", role: "assistant", model: this.#model };
  }

  #stopReason(end: AnswerEnd): string {
    if (this.#hasToolCall) return "tool_use";
    return end.doneReason === "stop" ? "end_turn" : "max_tokens";
  }
}

const errorTypes: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  503: "overloaded_error",
  529: "overloaded_error",
};

/** The error object of /v1/messages, with an id of its own. */
export function anthropicError(status: number, message: string): Record<string, unknown> {
  const type = errorTypes[status] ?? "api_error";
  const request_id = `req_${randomBytes(12).toString("hex")}`;
  return { type: "error", error: { type, message }, request_id };
}

function sse(type: string, fields: Readonly<Record<string, unknown>>): string {
  return `event: ${type}\ndata: ${goJson({ type, ...fields })}\n\n`;
}

function usageOf(end: AnswerEnd): Record<string, number> {
  return { input_tokens: end.promptTokens, output_tokens: end.completionTokens };
}
