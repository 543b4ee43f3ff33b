import type { AnswerPiece, ToolCall } from "./answer-plan.ts";
import type { Reply } from "./reply.ts";
import type { Headers } from "./wire.ts";

/** How a generation ended. Durations are nanoseconds, as Ollama shows them. */
export type AnswerEnd = {
  readonly doneReason: "stop" | "length";
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalNs: number;
  readonly loadNs: number;
  readonly promptNs: number;
  readonly evalNs: number;
};

export type WholeAnswer = {
  readonly content: string;
  readonly thinking: string;
  readonly toolCalls: readonly ToolCall[];
  readonly end: AnswerEnd;
};

/** One API's way of showing a generation. Each string of a list is one HTTP chunk of its own. */
export interface Presenter {
  readonly streamHeaders: Headers;
  piece(piece: AnswerPiece): readonly string[];
  finish(end: AnswerEnd): readonly string[];
  /** Everything at once, for a request that does not stream. */
  whole(reply: Reply, answer: WholeAnswer): void;
  /** The load-only and unload answers of the native API. */
  idle(reply: Reply, doneReason: "load" | "unload"): void;
  error(reply: Reply, status: number, message: string): void;
  /** What the stream shows of an error after its first token: not every API shows any. */
  errorFrames(message: string): readonly string[];
}

/** The strings of all pieces of a kind, put together. */
export function gather(
  pieces: readonly AnswerPiece[],
): Pick<WholeAnswer, "content" | "thinking" | "toolCalls"> {
  let content = "";
  let thinking = "";
  const toolCalls: ToolCall[] = [];
  for (const piece of pieces) {
    if (piece.kind === "content") content += piece.text;
    else if (piece.kind === "thinking") thinking += piece.text;
    else if (piece.kind === "tool-call") toolCalls.push(piece.call);
  }
  return { content, thinking, toolCalls };
}

let lastNs = 0;

/** RFC 3339 in UTC with up to nine fractional digits, as Go writes a time; never the same twice. */
export function goTimestamp(): string {
  const nowNs = Math.round((performance.timeOrigin + performance.now()) * 1_000) * 1_000;
  lastNs = nowNs > lastNs ? nowNs : lastNs + 1_000;
  const seconds = new Date(Math.floor(lastNs / 1e6)).toISOString().slice(0, 19);
  const micros = Math.floor((lastNs % 1e9) / 1_000);
  const fraction = String(micros).padStart(6, "0").replace(/0+$/, "");
  return fraction === "" ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

/** Seconds since the epoch, as the OpenAI API stamps its answers. */
export function unixSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}
