import type { AnswerPiece, ToolCall } from "./answer-plan.ts";
import { type AnswerEnd, goTimestamp, type Presenter, type WholeAnswer } from "./presenter.ts";
import { goJson, type Reply } from "./reply.ts";

type Remote = { readonly model: string; readonly host: string } | null;

/** /api/chat and /api/generate: one JSON line a token, the last one with the metrics. */
export class NativePresenter implements Presenter {
  readonly streamHeaders = [["Content-Type", "application/x-ndjson"]] as const;
  readonly #api: "chat" | "generate";
  readonly #model: string;
  readonly #remote: Remote;
  readonly #hasContext: boolean;
  /** The start of every line, up to the time: made once, because streams have many lines. */
  readonly #lineHead: string;

  constructor(
    api: "chat" | "generate",
    model: string,
    of: { readonly remote?: Remote; readonly hasContext?: boolean } = {},
  ) {
    this.#api = api;
    this.#model = model;
    this.#remote = of.remote ?? null;
    this.#hasContext = of.hasContext ?? false;
    this.#lineHead = goJson(this.#head()).slice(0, -1);
  }

  piece(piece: AnswerPiece): readonly string[] {
    const at = `${this.#lineHead},"created_at":"${goTimestamp()}"`;
    const body = this.#api === "chat" ? chatPiece(piece) : generatePiece(piece);
    return [`${at},${body}\n`];
  }

  finish(end: AnswerEnd): readonly string[] {
    const said = { content: "", thinking: "", toolCalls: [] };
    return [`${goJson(this.#last({ ...said, end }))}\n`];
  }

  whole(reply: Reply, answer: WholeAnswer): void {
    reply.json(200, this.#last(answer));
  }

  idle(reply: Reply, doneReason: "load" | "unload"): void {
    const said =
      this.#api === "chat" ? { message: { role: "assistant", content: "" } } : { response: "" };
    const at = { created_at: goTimestamp() };
    reply.json(200, { ...this.#head(), ...at, ...said, done: true, done_reason: doneReason });
  }

  error(reply: Reply, status: number, message: string): void {
    nativeError(reply, status, message);
  }

  errorFrames(message: string): readonly string[] {
    return [`${goJson({ error: message })}\n`];
  }

  #head(): Record<string, unknown> {
    const remote = this.#remote;
    return {
      model: this.#model,
      ...(remote && { remote_model: remote.model, remote_host: remote.host }),
    };
  }

  #last(answer: WholeAnswer): Record<string, unknown> {
    const { end } = answer;
    const isChat = this.#api === "chat";
    const context = { context: Array.from({ length: end.promptTokens }, (_, token) => token + 1) };
    return {
      ...this.#head(),
      created_at: goTimestamp(),
      ...(isChat ? { message: chatMessage(answer) } : generateFields(answer)),
      done: true,
      done_reason: end.doneReason,
      ...(!isChat && this.#hasContext && context),
      total_duration: end.totalNs,
      load_duration: end.loadNs,
      prompt_eval_count: end.promptTokens,
      prompt_eval_duration: end.promptNs,
      // Go leaves out what is zero.
      ...(end.completionTokens > 0 && { eval_count: end.completionTokens }),
      ...(end.evalNs > 0 && { eval_duration: end.evalNs }),
    };
  }
}

/** The native error; 401 tells where to sign in. */
export function nativeError(reply: Reply, status: number, message: string): void {
  const signin = status === 401 ? { signin_url: signinUrl } : {};
  // The stream's writer has set its own type before.
  const type = reply.isFlushing ? "application/json" : undefined;
  reply.json(status, { error: message, ...signin }, type);
}

/** Where a signed-out user is sent. */
export const signinUrl = "https://ollama.com/connect?name=sim&key=c2lt";

function chatPiece(piece: AnswerPiece): string {
  const message = chatMessage({
    content: piece.kind === "content" ? piece.text : "",
    thinking: piece.kind === "thinking" ? piece.text : "",
    toolCalls: piece.kind === "tool-call" ? [piece.call] : [],
  });
  return `"message":${goJson(message)},"done":false}`;
}

function generatePiece(piece: AnswerPiece): string {
  const response = goJson(piece.kind === "content" ? piece.text : "");
  const thinking = piece.kind === "thinking" ? `"thinking":${goJson(piece.text)},` : "";
  return `"response":${response},${thinking}"done":false}`;
}

function chatMessage(said: Omit<WholeAnswer, "end">): Record<string, unknown> {
  return {
    role: "assistant",
    content: said.content,
    ...(said.thinking !== "" && { thinking: said.thinking }),
    ...(said.toolCalls.length > 0 && { tool_calls: said.toolCalls.map(nativeToolCall) }),
  };
}

function generateFields(said: Omit<WholeAnswer, "end">): Record<string, unknown> {
  return {
    response: said.content,
    ...(said.thinking !== "" && { thinking: said.thinking }),
  };
}

function nativeToolCall(call: ToolCall, index: number): Record<string, unknown> {
  return { id: call.id, function: { index, name: call.name, arguments: call.args } };
}
