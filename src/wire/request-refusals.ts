import { goQuote } from "./go-quote.ts";
import type { Members } from "./members.ts";
import type { ModelRef } from "./model-ref.ts";
import type { RequestKind } from "./request-fields.ts";

/** An answer that Ollama gives before it needs the GPU. */
export type Refusal = {
  readonly kind: "refusal";
  readonly statusCode: number;
  readonly message: string;
  /**
   * Which of Ollama's layers says it: on `/v1/*` they differ in content type and last byte, and
   * what decompresses speaks as on `/api/*`.
   */
  readonly writtenBy: "decompressor" | "middleware" | "handler";
};

const topLogprobsMax = 20;
const efforts: readonly string[] = [
  "",
  "none",
  "minimal",
  "low",
  "medium",
  "high",
  "max",
  "xhigh",
  "ultra",
];
const effortChoices = '"minimal", "low", "medium", "high", "xhigh", "ultra", "max", or "none"';

/** The refusal of a body that is no JSON, or does not fit the request. */
export function refuseBody(message: string): Refusal {
  return { kind: "refusal", statusCode: 400, message, writtenBy: "middleware" };
}

/**
 * The refusal of a well-formed request, in the order in which Ollama looks: first what the
 * compatibility layer of the route checks, then what the handler checks. Null when it finds
 * nothing.
 */
export function refuseRequest(kind: RequestKind, members: Members, ref: ModelRef): Refusal | null {
  return (
    refuseInMiddleware(kind, members) ??
    refuseLogprobs(kind, members) ??
    refuseModel(kind, members, ref)
  );
}

function refuseInMiddleware(kind: RequestKind, members: Members): Refusal | null {
  switch (kind) {
    case "generate":
    case "chat":
    case "openai-completion":
      return null;
    case "openai-chat":
      if (members.isEmptySlice("messages")) return refuseBody("[] is too short - 'messages'");
      return refuseEffort(chatEffort(members));
    case "openai-responses":
      return refuseEffort(members.inside(members.all("reasoning"), ["effort"]).text("effort"));
    case "anthropic-messages":
      if (members.text("model") === "") return refuseBody("model is required");
      if (members.integer("max_tokens") <= 0) {
        return refuseBody("max_tokens is required and must be positive");
      }
      return members.isEmptySlice("messages") ? refuseBody("messages is required") : null;
    default:
      return kind satisfies never;
  }
}

/** A `reasoning` object, even an empty one, hides `reasoning_effort`. */
function chatEffort(members: Members): string {
  return members.nullable("reasoning") === null
    ? (members.nullableText("reasoning_effort") ?? "")
    : members.inside(members.sinceNull("reasoning"), ["effort"]).text("effort");
}

function refuseEffort(effort: string): Refusal | null {
  if (efforts.includes(effort)) return null;
  return refuseBody(`invalid reasoning value: ${goQuote(effort)} (must be ${effortChoices})`);
}

function refuseLogprobs(kind: RequestKind, members: Members): Refusal | null {
  const count = topLogprobs(kind, members);
  if (count >= 0 && count <= topLogprobsMax) return null;
  return refuseInHandler(400, "top_logprobs must be between 0 and 20");
}

function topLogprobs(kind: RequestKind, members: Members): number {
  switch (kind) {
    case "generate":
    case "chat":
    case "openai-chat":
      return members.integer("top_logprobs");
    case "openai-completion":
      return Math.max(0, members.nullableInteger("logprobs"));
    case "openai-responses":
    case "anthropic-messages":
      return 0;
    default:
      return kind satisfies never;
  }
}

function refuseModel(kind: RequestKind, members: Members, ref: ModelRef): Refusal | null {
  switch (ref.kind) {
    case "named":
      return null;
    case "conflicting":
      return refuseInHandler(400, ref.message);
    case "invalid":
      return refuseInHandler(400, "invalid model name");
    case "missing": {
      const isGenerate = kind === "generate" || kind === "openai-completion";
      return isGenerate
        ? refuseInHandler(404, `model '${members.text("model")}' not found`)
        : refuseInHandler(400, "model is required");
    }
    default:
      return ref satisfies never;
  }
}

function refuseInHandler(statusCode: number, message: string): Refusal {
  return { kind: "refusal", statusCode, message, writtenBy: "handler" };
}
