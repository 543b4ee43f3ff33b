import type { AnswerPiece, ToolCall } from "./answer-plan.ts";
import { answerOpenaiError } from "./openai-error.ts";
import type { AnswerEnd, Presenter, WholeAnswer } from "./presenter.ts";
import { goJson, type Reply } from "./reply.ts";
import { type ResponsesEcho, responseObject } from "./responses-object.ts";

type Item = Readonly<Record<string, unknown>>;

/** /v1/responses: named events that build up items, ending with response.completed. */
export class ResponsesPresenter implements Presenter {
  readonly streamHeaders = [
    ["Content-Type", "text/event-stream"],
    ["Cache-Control", "no-cache"],
    ["Connection", "keep-alive"],
  ] as const;
  readonly #echo: ResponsesEcho;
  readonly #done: Item[] = [];
  #sequence = 0;
  #index = 0;
  #isOpened = false;
  #thinking = "";
  #reasoningId = "";
  #text = "";
  #hasText = false;

  constructor(echo: ResponsesEcho) {
    this.#echo = echo;
  }

  piece(piece: AnswerPiece): readonly string[] {
    const frames = this.#open();
    switch (piece.kind) {
      case "thinking":
        return [...frames, ...this.#think(piece.text)];
      case "content":
        return [...frames, ...this.#closeReasoning(), ...this.#say(piece.text)];
      case "tool-call":
        return [...frames, ...this.#closeReasoning(), ...this.#call(piece.call)];
    }
  }

  finish(end: AnswerEnd): readonly string[] {
    const frames = [...this.#open(), ...this.#closeReasoning(), ...this.#closeText()];
    const state = { status: "completed", output: this.#done, end, isCompleted: true } as const;
    const response = responseObject(this.#echo, state);
    return [...frames, this.#event("response.completed", { response })];
  }

  whole(reply: Reply, answer: WholeAnswer): void {
    const id = this.#echo.responseId;
    const reasoning = reasoningItem(`rs_${id}`, answer.thinking);
    const calls = answer.toolCalls.map((call, index) => callItem(`fc_${id}_${index}`, call));
    const message = messageItem(this.#echo.itemId, answer.content);
    const output = [
      ...(answer.thinking === "" ? [] : [reasoning]),
      ...(calls.length > 0 ? calls : [message]),
    ];
    const state = { status: "completed", output, end: answer.end, isCompleted: true } as const;
    reply.encoded(200, responseObject(this.#echo, state));
  }

  /** No input loads the model; it looks like an empty answer. */
  idle(reply: Reply): void {
    const counts = { promptTokens: 0, completionTokens: 0, totalNs: 0, loadNs: 0 };
    const end = { doneReason: "stop", ...counts, promptNs: 0, evalNs: 0 } as const;
    if (!this.#echo.isStreaming) {
      this.whole(reply, { content: "", thinking: "", toolCalls: [], end });
      return;
    }
    reply.stream(200, this.streamHeaders);
    for (const frame of this.finish(end)) void reply.write(frame);
    reply.end();
  }

  error(reply: Reply, status: number, message: string): void {
    // They were set before anything could go wrong.
    const early = this.#echo.isStreaming ? this.streamHeaders.slice(1) : [];
    for (const [name, value] of early) reply.addHeader(name, value);
    answerOpenaiError(reply, status, message, "handler");
  }

  /** Ollama emits nothing: the stream just ends. */
  errorFrames(): readonly string[] {
    return [];
  }

  #open(): string[] {
    if (this.#isOpened) return [];
    this.#isOpened = true;
    const state = { status: "in_progress", output: [], end: null, isCompleted: false } as const;
    const response = responseObject(this.#echo, state);
    return [
      this.#event("response.created", { response }),
      this.#event("response.in_progress", { response }),
    ];
  }

  #think(text: string): string[] {
    const frames: string[] = [];
    if (this.#thinking === "") {
      this.#reasoningId = `rs_${Math.floor(Math.random() * 999_999)}`;
      const item = { id: this.#reasoningId, type: "reasoning", summary: [] };
      frames.push(this.#event("response.output_item.added", { output_index: this.#index, item }));
    }
    this.#thinking += text;
    const at = { item_id: this.#reasoningId, output_index: this.#index, summary_index: 0 };
    return [
      ...frames,
      this.#event("response.reasoning_summary_text.delta", { ...at, delta: text }),
    ];
  }

  #closeReasoning(): string[] {
    if (this.#thinking === "") return [];
    const item = reasoningItem(this.#reasoningId, this.#thinking);
    const at = { item_id: this.#reasoningId, output_index: this.#index, summary_index: 0 };
    const text = this.#thinking;
    const frames = [
      this.#event("response.reasoning_summary_text.done", { ...at, text }),
      this.#event("response.output_item.done", { output_index: this.#index, item }),
    ];
    this.#done.push(item);
    this.#thinking = "";
    this.#index += 1;
    return frames;
  }

  #say(text: string): string[] {
    const frames: string[] = [];
    const at = { item_id: this.#echo.itemId, output_index: this.#index, content_index: 0 };
    if (!this.#hasText) {
      this.#hasText = true;
      const item = { ...messageItem(this.#echo.itemId, ""), status: "in_progress", content: [] };
      frames.push(
        this.#event("response.output_item.added", { output_index: this.#index, item }),
        this.#event("response.content_part.added", { ...at, part: outputText("") }),
      );
    }
    this.#text += text;
    const delta = { ...at, delta: text, logprobs: [] };
    return [...frames, this.#event("response.output_text.delta", delta)];
  }

  #closeText(): string[] {
    if (!this.#hasText) return [];
    const at = { item_id: this.#echo.itemId, output_index: this.#index, content_index: 0 };
    const item = messageItem(this.#echo.itemId, this.#text);
    this.#done.push(item);
    return [
      this.#event("response.output_text.done", { ...at, text: this.#text, logprobs: [] }),
      this.#event("response.content_part.done", { ...at, part: outputText(this.#text) }),
      this.#event("response.output_item.done", { output_index: this.#index, item }),
    ];
  }

  #call(call: ToolCall): string[] {
    const itemId = `fc_${Math.floor(Math.random() * 999_999)}_0`;
    const item = callItem(itemId, call);
    const at = { item_id: itemId, output_index: this.#index };
    const begun = { ...item, status: "in_progress", arguments: "" };
    const frames = [
      this.#event("response.output_item.added", { output_index: this.#index, item: begun }),
      this.#event("response.function_call_arguments.delta", { ...at, delta: item.arguments }),
      this.#event("response.function_call_arguments.done", { ...at, arguments: item.arguments }),
      this.#event("response.output_item.done", { output_index: this.#index, item }),
    ];
    this.#done.push(item);
    this.#index += 1;
    return frames;
  }

  #event(type: string, fields: Readonly<Record<string, unknown>>): string {
    const numbered = { ...fields, type, sequence_number: this.#sequence };
    this.#sequence += 1;
    // Go writes the keys of a map in alphabetical order.
    return `event: ${type}\ndata: ${goJson(sorted(numbered))}\n\n`;
  }
}

function outputText(text: string): Item {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

function messageItem(id: string, text: string): Item {
  const content = [outputText(text)];
  return { id, type: "message", status: "completed", role: "assistant", content };
}

function reasoningItem(id: string, text: string): Item {
  const summary = [{ type: "summary_text", text }];
  return { id, type: "reasoning", summary, encrypted_content: text };
}

function callItem(id: string, call: ToolCall): Item & { readonly arguments: string } {
  const args = goJson(call.args);
  const named = { call_id: call.id, name: call.name, arguments: args };
  return { id, type: "function_call", status: "completed", ...named };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}
