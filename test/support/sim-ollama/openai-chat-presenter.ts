import type { AnswerPiece, ToolCall } from "./answer-plan.ts";
import { answerOpenaiError } from "./openai-error.ts";
import { type AnswerEnd, type Presenter, unixSeconds, type WholeAnswer } from "./presenter.ts";
import { goJson, type Reply } from "./reply.ts";

/** /v1/chat/completions: SSE without event names, then a finish chunk, usage if asked, [DONE]. */
export class OpenaiChatPresenter implements Presenter {
  readonly streamHeaders = [["Content-Type", "text/event-stream"]] as const;
  readonly #model: string;
  readonly #id: string;
  readonly #includeUsage: boolean;
  readonly #created = unixSeconds();
  #isFirst = true;
  #hasToolCall = false;

  constructor(model: string, includeUsage: boolean) {
    this.#model = model;
    // Small and not unique, as Ollama's are: nobody may key on them.
    this.#id = `chatcmpl-${Math.floor(Math.random() * 999)}`;
    this.#includeUsage = includeUsage;
  }

  piece(piece: AnswerPiece): readonly string[] {
    const toolCalls = piece.kind === "tool-call" ? [piece.call] : [];
    if (toolCalls.length > 0) this.#hasToolCall = true;
    const delta = {
      ...(this.#isFirst && { role: "assistant" }),
      content: piece.kind === "content" ? piece.text : "",
      ...(piece.kind === "thinking" && { reasoning: piece.text }),
      ...(toolCalls.length > 0 && { tool_calls: toolCalls.map(openaiToolCall) }),
    };
    this.#isFirst = false;
    return [this.#frame([{ index: 0, delta, finish_reason: null }])];
  }

  finish(end: AnswerEnd): readonly string[] {
    // Written by one call of the handler, so they leave as one chunk.
    const opening = this.#isFirst ? this.piece({ kind: "content", text: "" }) : [];
    const reason = this.#reason(end);
    const frames = [
      ...opening,
      this.#frame([{ index: 0, delta: {}, finish_reason: reason }]),
      ...(this.#includeUsage ? [this.#frame([], { usage: openaiUsage(end) })] : []),
      "data: [DONE]\n\n",
    ];
    return [frames.join("")];
  }

  whole(reply: Reply, answer: WholeAnswer): void {
    if (answer.toolCalls.length > 0) this.#hasToolCall = true;
    const message = {
      role: "assistant",
      content: answer.content,
      ...(answer.thinking !== "" && { reasoning: answer.thinking }),
      ...(answer.toolCalls.length > 0 && { tool_calls: answer.toolCalls.map(openaiToolCall) }),
    };
    reply.encoded(200, {
      ...this.#head("chat.completion"),
      choices: [{ index: 0, message, finish_reason: this.#reason(answer.end) }],
      usage: openaiUsage(answer.end),
    });
  }

  /** There is no preload through /v1: empty messages are refused before. */
  idle(reply: Reply): void {
    reply.empty(200);
  }

  error(reply: Reply, status: number, message: string): void {
    answerOpenaiError(reply, status, message, "handler");
  }

  /** Ollama decodes the error as an empty chunk without a model: the message is lost. */
  errorFrames(): readonly string[] {
    const delta = { ...(this.#isFirst && { role: "assistant" }), content: "" };
    const head = { ...this.#head("chat.completion.chunk"), model: "" };
    return [
      `data: ${goJson({ ...head, choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`,
    ];
  }

  #reason(end: AnswerEnd): string {
    return end.doneReason === "stop" && this.#hasToolCall ? "tool_calls" : end.doneReason;
  }

  #frame(choices: readonly unknown[], more: Record<string, unknown> = {}): string {
    return `data: ${goJson({ ...this.#head("chat.completion.chunk"), choices, ...more })}\n\n`;
  }

  #head(object: string): Record<string, unknown> {
    const system_fingerprint = "fp_ollama";
    const created = this.#created;
    return { id: this.#id, object, created, model: this.#model, system_fingerprint };
  }
}

/** The usage object of chat and completions. */
export function openaiUsage(end: AnswerEnd): Record<string, number> {
  return {
    prompt_tokens: end.promptTokens,
    completion_tokens: end.completionTokens,
    total_tokens: end.promptTokens + end.completionTokens,
  };
}

/** A tool call with its arguments as a JSON text. */
function openaiToolCall(call: ToolCall, index: number): Record<string, unknown> {
  const named = { name: call.name, arguments: goJson(call.args) };
  return { id: call.id, index, type: "function", function: named };
}
