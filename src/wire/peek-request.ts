import { decodeError, planFor } from "./decode-error.ts";
import type { PeekPlan, PeekResult } from "./json-peek.ts";
import { type KeepAlive, readKeepAlive } from "./keep-alive.ts";
import { canonicalLoadOptions } from "./load-options.ts";
import { Members } from "./members.ts";
import { type ModelRef, type ModelSource, parseModelRef } from "./model-ref.ts";
import { type RequestKind, requestStructs } from "./request-fields.ts";
import { type Refusal, refuseBody, refuseRequest } from "./request-refusals.ts";

/** What foreman needs to know of a generation request. */
export type PeekedRequest = {
  readonly kind: "request";
  /** As the client spelled it, untrimmed. */
  readonly model: string;
  readonly source: ModelSource;
  /** With the route's default when the client did not say. */
  readonly isStream: boolean;
  /** Null when the client did not set it. */
  readonly keepAlive: KeepAlive | null;
  /** Nothing to generate: the model is loaded, or unloaded. */
  readonly isEmptyWork: boolean;
  /** Ollama acts at once, without the GPU. */
  readonly isUnload: boolean;
  /** See `canonicalLoadOptions`. */
  readonly loadOptions: string;
  /**
   * What Ollama answers, before it loads anything, if it knows the model, and the model is local
   * and makes no images; null if nothing is wrong.
   */
  readonly refusalIfKnown: Refusal | null;
};

/** The members that `peekRequest` wants to see. */
export function peekPlan(kind: RequestKind): PeekPlan {
  return planFor(requestStructs[kind]);
}

/**
 * Reads a generation request, or refuses it with Ollama's status and text. A refusal is certain;
 * its text is Ollama's unless the body has a second mistake in what foreman does not read (the
 * inside of messages, tools and images). What is not refused here may still be refused by the
 * target, which knows better. Requests for the cloud are never refused for more than malformed
 * JSON.
 * Source: Ollama server/routes.go and middleware/; checked against
 * test/fixtures/ollama-refusals.jsonl.
 */
export function peekRequest(kind: RequestKind, peeked: PeekResult): PeekedRequest | Refusal {
  const struct = requestStructs[kind];
  if (peeked.kind === "malformed") {
    const isMissing = isNativeKind(kind) && peeked.message === "EOF";
    return refuseBody(isMissing ? "missing request body" : peeked.message);
  }
  if (peeked.valueKind !== "object" && peeked.valueKind !== "null") {
    const goType = struct.goType;
    const value = peeked.valueKind;
    return refuseBody(`json: cannot unmarshal ${value} into Go value of type ${goType}`);
  }
  const members = new Members(peeked.members);
  const ref = members.isUnread("model") ? nameless : parseModelRef(members.text("model"));
  const source = ref.kind === "named" ? ref.source : "default";
  if (source !== "cloud") {
    const mistake = decodeError(struct, peeked.members);
    if (mistake !== null) return refuseBody(mistake);
    const refusal = refuseRequest(kind, members, ref);
    if (refusal !== null) return refusal;
  }
  return describe(kind, members, source);
}

/** No valid name is so long that it is not read. */
const nameless: ModelRef = { kind: "invalid", source: "default" };

function describe(kind: RequestKind, members: Members, source: ModelSource): PeekedRequest {
  const isNative = isNativeKind(kind);
  const keepAlive = isNative ? keepAliveOf(members) : null;
  const isEmptyWork = hasNoWork(kind, members);
  const isUnload = isEmptyWork && keepAlive === 0;
  return {
    kind: "request",
    model: members.text("model"),
    source,
    isStream: isStreamed(kind, members),
    keepAlive,
    isEmptyWork,
    isUnload,
    loadOptions: isNative
      ? canonicalLoadOptions(members.sinceNull("options"), members.nullableFlag("shift"))
      : "",
    refusalIfKnown: kind === "generate" && !isUnload ? rawConflict(members) : null,
  };
}

function isNativeKind(kind: RequestKind): boolean {
  return kind === "generate" || kind === "chat";
}

function isStreamed(kind: RequestKind, members: Members): boolean {
  switch (kind) {
    case "generate":
    case "chat":
      return members.nullableFlag("stream") !== false;
    case "openai-responses":
      return members.nullableFlag("stream") === true;
    case "openai-chat":
    case "openai-completion":
    case "anthropic-messages":
      return members.flag("stream");
    default:
      return kind satisfies never;
  }
}

function hasNoWork(kind: RequestKind, members: Members): boolean {
  switch (kind) {
    case "generate":
    case "openai-completion":
      return members.isEmptyText("prompt");
    case "chat":
    case "openai-chat":
    case "anthropic-messages":
      return members.isEmptySlice("messages");
    case "openai-responses":
      return members.isEmptyText("instructions") && hasNoInput(members);
    default:
      return kind satisfies never;
  }
}

/** Ollama keeps a text and a list side by side; `null` empties the text alone. */
function hasNoInput(members: Members): boolean {
  const text = members.lastOf("input", ["string", "null"]);
  const list = members.lastOf("input", ["array"]);
  return (text?.kind !== "string" || text.isEmpty) && (list?.isEmpty ?? true);
}

function keepAliveOf(members: Members): KeepAlive | null {
  const member = members.nullable("keep_alive");
  const reading = member === null ? null : readKeepAlive(member);
  return reading?.kind === "set" ? reading.value : null;
}

function rawConflict(members: Members): Refusal | null {
  const isConflict =
    members.flag("raw") &&
    !(
      members.isEmptyText("template") &&
      members.isEmptyText("system") &&
      members.isEmptySlice("context")
    );
  const message = "raw mode does not support template, system, or context";
  return isConflict ? { kind: "refusal", statusCode: 400, message, writtenBy: "handler" } : null;
}
