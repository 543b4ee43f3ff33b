import { jsonInstance } from "./json-instance.ts";
import { isCapable, type ModelSpec } from "./model-spec.ts";
import { SeededRandom } from "./seeded-random.ts";

export type ToolCall = {
  readonly id: string;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
};

/** What one step of a generation brings forth. */
export type AnswerPiece =
  | { readonly kind: "thinking" | "content"; readonly text: string }
  | { readonly kind: "tool-call"; readonly call: ToolCall };

export type ToolOffer = { readonly name: string; readonly schema: unknown };

export type PlanRequest = {
  readonly model: ModelSpec;
  /** Everything that the model would read. */
  readonly promptText: string;
  /** The last words of the user, in which directives are looked for. */
  readonly lastText: string;
  readonly numPredict: number;
  readonly stop: readonly string[];
  readonly seed: number;
  /** Null, `"json"` or a JSON schema. */
  readonly format: unknown;
  readonly tools: readonly ToolOffer[];
  readonly isThinking: boolean;
};

/** An answer, all of which is known before its first token: the same request, the same answer. */
export type AnswerPlan = {
  readonly pieces: readonly AnswerPiece[];
  readonly doneReason: "stop" | "length";
  readonly promptTokens: number;
  readonly tokenMs: number;
};

/**
 * Plans the answer. The user's text may steer it: `[[tokens=N]]` sets its length, `[[token-ms=N]]`
 * its pace, and `use tool` calls the first tool that was offered.
 */
export function planAnswer(request: PlanRequest): AnswerPlan {
  const { model, lastText } = request;
  const random = new SeededRandom(`${model.blob}\n${request.seed}\n${request.promptText}`);
  const whole = [...thinkingOf(request, random), ...bodyOf(request, random)];
  // 0 is no limit at all (measured), as -1 is.
  const isCut = request.numPredict > 0 && request.numPredict < whole.length;
  return {
    pieces: isCut ? whole.slice(0, request.numPredict) : whole,
    doneReason: isCut ? "length" : "stop",
    promptTokens: Math.max(1, Math.ceil(request.promptText.length / 4)),
    tokenMs: directive(lastText, "token-ms") ?? model.tokenMs,
  };
}

function thinkingOf(request: PlanRequest, random: SeededRandom): AnswerPiece[] {
  if (!request.isThinking || !isCapable(request.model, "thinking")) return [];
  const words = Array.from({ length: 4 }, () => random.word());
  return words.map((word, index) => ({ kind: "thinking", text: index === 0 ? word : ` ${word}` }));
}

function bodyOf(request: PlanRequest, random: SeededRandom): AnswerPiece[] {
  const { tools, lastText, model, format } = request;
  const [tool] = tools;
  if (tool !== undefined && /use tool/i.test(lastText)) {
    const made = jsonInstance(tool.schema, random);
    const args = typeof made === "object" && made !== null ? { ...made } : {};
    const id = `call_${random
      .next(2 ** 31)
      .toString(36)
      .padStart(8, "0")
      .slice(-8)}`;
    return [{ kind: "tool-call", call: { id, name: tool.name, args } }];
  }
  if (format !== null) return inFours(JSON.stringify(formatted(format, random)));
  return prose(directive(lastText, "tokens") ?? model.tokens, request.stop, random);
}

function formatted(format: unknown, random: SeededRandom): unknown {
  return format === "json" ? { answer: random.word() } : jsonInstance(format, random);
}

/** Words, a full stop now and then; a stop sequence ends them before it appears. */
function prose(count: number, stop: readonly string[], random: SeededRandom): AnswerPiece[] {
  const pieces: AnswerPiece[] = [];
  for (let index = 0; index < count; index += 1) {
    const word = random.word();
    const text = `${index === 0 ? "" : " "}${word}${index % 12 === 11 ? "." : ""}`;
    if (stop.some((each) => each !== "" && text.includes(each))) break;
    pieces.push({ kind: "content", text });
  }
  return pieces;
}

function inFours(text: string): AnswerPiece[] {
  const parts = text.match(/[\s\S]{1,4}/g) ?? [];
  return parts.map((part) => ({ kind: "content", text: part }));
}

function directive(text: string, name: string): number | null {
  const found = new RegExp(`\\[\\[${name}=(\\d+(?:\\.\\d+)?)\\]\\]`).exec(text)?.[1];
  return found === undefined ? null : Number(found);
}
