import type { AnswerPiece } from "./answer-plan.ts";
import { openaiUsage } from "./openai-chat-presenter.ts";
import { answerOpenaiError } from "./openai-error.ts";
import { type AnswerEnd, type Presenter, unixSeconds, type WholeAnswer } from "./presenter.ts";
import { goJson, type Reply } from "./reply.ts";

/** /v1/completions, the old way: text instead of messages. */
export class CompletionPresenter implements Presenter {
  readonly streamHeaders = [["Content-Type", "text/event-stream"]] as const;
  readonly #model: string;
  readonly #id: string;
  readonly #includeUsage: boolean;
  readonly #isStreaming: boolean;

  constructor(model: string, includeUsage: boolean, isStreaming: boolean) {
    this.#model = model;
    this.#id = `cmpl-${Math.floor(Math.random() * 999)}`;
    this.#includeUsage = includeUsage;
    this.#isStreaming = isStreaming;
  }

  piece(piece: AnswerPiece): readonly string[] {
    return [this.#frame(choice(piece.kind === "content" ? piece.text : "", null))];
  }

  finish(end: AnswerEnd): readonly string[] {
    const usage = { usage: openaiUsage(end) };
    const frames = [
      this.#frame(choice("", end.doneReason)),
      ...(this.#includeUsage ? [this.#frame([], usage)] : []),
      "data: [DONE]\n\n",
    ];
    return [frames.join("")];
  }

  whole(reply: Reply, answer: WholeAnswer): void {
    reply.encoded(200, {
      ...this.#head(),
      choices: choice(answer.content, answer.end.doneReason),
      usage: openaiUsage(answer.end),
    });
  }

  /** An empty prompt loads the model and answers with empty text. */
  idle(reply: Reply, doneReason: "load" | "unload"): void {
    const choices = choice("", doneReason);
    const frames = `${this.#frame(choices)}data: [DONE]\n\n`;
    if (this.#isStreaming) reply.body(200, frames, this.streamHeaders);
    else reply.encoded(200, { ...this.#head(), choices, usage: noUsage });
  }

  error(reply: Reply, status: number, message: string): void {
    answerOpenaiError(reply, status, message, "handler");
  }

  errorFrames(): readonly string[] {
    return [`data: ${goJson({ ...this.#head(), choices: choice("", null), model: "" })}\n\n`];
  }

  #frame(choices: readonly unknown[], more: Record<string, unknown> = {}): string {
    const { model, system_fingerprint, ...head } = this.#head();
    const usage = this.#includeUsage && choices.length > 0 ? { usage: noUsage } : more;
    return `data: ${goJson({ ...head, choices, model, system_fingerprint, ...usage })}\n\n`;
  }

  #head(): Record<string, unknown> {
    const object = "text_completion";
    const system_fingerprint = "fp_ollama";
    return { id: this.#id, object, created: unixSeconds(), model: this.#model, system_fingerprint };
  }
}

const noUsage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };

function choice(text: string, finishReason: string | null): readonly unknown[] {
  return [{ text, index: 0, finish_reason: finishReason }];
}
