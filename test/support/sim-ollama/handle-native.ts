import { answer } from "./answer.ts";
import { bindNativeBody, flagOf, listOf, numberOf, objectOf, textOf } from "./bind-body.ts";
import { type FoundModel, findModel, type NameErrors } from "./find-model.ts";
import type { Bound } from "./go-bind.ts";
import { goQuote } from "./go-text.ts";
import { readMessages } from "./message-text.ts";
import { isCapable, type ModelSpec } from "./model-spec.ts";
import { NativePresenter, nativeError } from "./native-presenter.ts";
import type { Presenter } from "./presenter.ts";
import { requestStructs } from "./request-structs.ts";
import type { Call } from "./sim-core.ts";
import { readTools } from "./tool-offers.ts";

type Fields = Bound["fields"];
type Found = Extract<FoundModel, { kind: "model" }>;

const unknown = (text: string) => `model '${text}' not found`;
const chatErrors: NameErrors = { required: { status: 400, message: "model is required" }, unknown };

/** POST /api/chat (ChatHandler of Ollama 0.33, in its order of checks). */
export async function handleChat(call: Call): Promise<void> {
  const { reply } = call.exchange;
  const bound = bindNativeBody(call.payload, requestStructs.chat);
  if (bound.kind === "error") return reply.json(400, { error: bound.message });
  await chat(call, bound.fields, (found) => nativePresenter("chat", bound.fields, found), false);
}

/**
 * The chat behind every chat-like API: the others translate their request to it. With
 * `isThinkRelaxed` a model that cannot think is not an error (/v1/messages).
 */
export async function chat(
  call: Call,
  fields: Fields,
  present: (found: Found | null) => Presenter,
  isThinkRelaxed: boolean,
): Promise<void> {
  const { sim, exchange } = call;
  const { reply } = exchange;
  if (isOutOfRange(fields)) return present(null).error(reply, 400, outOfRange);
  const found = findModel(call, textOf(fields, "model"), chatErrors);
  if (found.kind === "error") return refuseName(call, found, present(null));
  const presenter = present(found);
  const messages = listOf(fields, "messages");
  const keepAliveMs = numberOf(fields, "keep_alive");
  if (messages.length === 0 && keepAliveMs === 0) {
    sim.scheduler.expire(found.model);
    return presenter.idle(reply, "unload");
  }
  const tools = readTools(listOf(fields, "tools"));
  const wanted = { fields, found, verb: "chat", needsTools: tools.length > 0, isThinkRelaxed };
  const refusal = refuseCapabilities(wanted);
  if (refusal !== null) return presenter.error(reply, 400, refusal);
  const system = found.model.system === "" ? "" : `system: ${found.model.system}\n`;
  const { promptText, lastText } = readMessages(messages);
  await answer(call, presenter, {
    ...common(fields, found),
    promptText: system + promptText,
    lastText,
    tools,
    isLoadOnly: messages.length === 0,
  });
}

/** POST /api/generate (GenerateHandler of Ollama 0.33). */
export async function handleGenerate(call: Call): Promise<void> {
  const { reply } = call.exchange;
  const bound = bindNativeBody(call.payload, requestStructs.generate);
  if (bound.kind === "error") return reply.json(400, { error: bound.message });
  await generate(call, bound.fields, (found) => nativePresenter("generate", bound.fields, found));
}

/** The generation behind /api/generate and /v1/completions. */
export async function generate(
  call: Call,
  fields: Fields,
  present: (found: Found | null) => Presenter,
): Promise<void> {
  const { sim, exchange } = call;
  const { reply } = exchange;
  if (isOutOfRange(fields)) return present(null).error(reply, 400, outOfRange);
  const text = textOf(fields, "model");
  const required = { status: 404, message: unknown(text) };
  const found = findModel(call, text, { required, unknown });
  if (found.kind === "error") return refuseName(call, found, present(null));
  const presenter = present(found);
  const prompt = textOf(fields, "prompt");
  if (prompt === "" && numberOf(fields, "keep_alive") === 0) {
    sim.scheduler.expire(found.model);
    return presenter.idle(reply, "unload");
  }
  const isRaw = flagOf(fields, "raw") ?? false;
  const hasTemplate = ["template", "system"].some((name) => textOf(fields, name) !== "");
  if (isRaw && (hasTemplate || listOf(fields, "context").length > 0)) {
    return presenter.error(reply, 400, rawRefusal);
  }
  const wanted = { fields, found, verb: "generate", needsTools: false, isThinkRelaxed: false };
  const refusal = refuseCapabilities(wanted);
  if (refusal !== null) return presenter.error(reply, 400, refusal);
  const system = textOf(fields, "system") || found.model.system;
  await answer(call, presenter, {
    ...common(fields, found),
    promptText: `${system === "" ? "" : `system: ${system}\n`}user: ${prompt}`,
    lastText: prompt,
    tools: [],
    isLoadOnly: prompt === "",
  });
}

function refuseName(
  { exchange }: Call,
  error: Exclude<FoundModel, { kind: "model" }>,
  presenter: Presenter,
): void {
  const { status, message } = error;
  if (error.isFromCloud) nativeError(exchange.reply, status, message);
  else presenter.error(exchange.reply, status, message);
}

function common(fields: Fields, found: Found) {
  const think = fields.think ?? true;
  return {
    model: found.model,
    options: objectOf(fields, "options"),
    keepAliveMs: numberOf(fields, "keep_alive"),
    shift: flagOf(fields, "shift"),
    format: fields.format ?? null,
    isThinking: think !== false && isCapable(found.model, "thinking"),
    isStreaming: flagOf(fields, "stream") ?? true,
    isElsewhere: found.isElsewhere,
  };
}

/** In Ollama's order: thinking first, then what the scheduler checks. Null: all is well. */
function refuseCapabilities(wanted: {
  readonly fields: Fields;
  readonly found: Found;
  readonly verb: string;
  readonly needsTools: boolean;
  readonly isThinkRelaxed: boolean;
}): string | null {
  const { fields, found } = wanted;
  // What runs elsewhere is checked elsewhere.
  if (found.isElsewhere) return null;
  const quoted = goQuote(textOf(fields, "model"));
  const isAskedToThink = (fields.think ?? false) !== false;
  if (isAskedToThink && !isCapable(found.model, "thinking") && !wanted.isThinkRelaxed) {
    return `${quoted} does not support thinking`;
  }
  if (!isCapable(found.model, "completion")) return `${quoted} does not support ${wanted.verb}`;
  const lacking = lackingCapability(fields, found.model, wanted.needsTools);
  return lacking === null ? null : `${found.fullName} does not support ${lacking}`;
}

function lackingCapability(fields: Fields, model: ModelSpec, needsTools: boolean): string | null {
  if (needsTools && !isCapable(model, "tools")) return "tools";
  const needsInsert = textOf(fields, "suffix") !== "";
  return needsInsert && !isCapable(model, "insert") ? "insert" : null;
}

function nativePresenter(
  api: "chat" | "generate",
  fields: Fields,
  found: Found | null,
): NativePresenter {
  const isStub = found !== null && found.model.remoteHost !== "";
  const remote = isStub ? { model: found.model.remoteModel, host: found.model.remoteHost } : null;
  const hasContext = api === "generate" && !(flagOf(fields, "raw") ?? false);
  return new NativePresenter(api, textOf(fields, "model"), { remote, hasContext });
}

function isOutOfRange(fields: Fields): boolean {
  const count = numberOf(fields, "top_logprobs") ?? 0;
  return count < 0 || count > 20;
}

const outOfRange = "top_logprobs must be between 0 and 20";
const rawRefusal = "raw mode does not support template, system, or context";
