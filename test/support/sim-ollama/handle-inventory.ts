import { bindNativeBody, textOf } from "./bind-body.ts";
import { findModel, type NameErrors } from "./find-model.ts";
import { parseModelName } from "./model-name.ts";
import { psItem, showAnswer, tagsItem } from "./model-views.ts";
import { answerOpenaiError } from "./openai-error.ts";
import { requestStructs } from "./request-structs.ts";
import type { Call } from "./sim-core.ts";

const showErrors: NameErrors = {
  required: { status: 400, message: "model is required" },
  unknown: (_, display) => `model '${display}' not found`,
};

/** GET and HEAD /. */
export function handleRoot({ exchange }: Call): void {
  const headers = [["Content-Type", "text/plain; charset=utf-8"]] as const;
  exchange.reply.body(200, "Ollama is running", headers);
}

/** GET and HEAD /api/version. */
export function handleVersion({ sim, exchange }: Call): void {
  exchange.reply.json(200, { version: sim.settings.version });
}

/** GET /api/status. */
export function handleStatus({ sim, exchange }: Call): void {
  const disabled = sim.settings.cloud === "disabled";
  exchange.reply.json(200, { cloud: { disabled, source: disabled ? "env" : "none" } });
}

/** GET and HEAD /api/tags. */
export function handleTags({ sim, exchange }: Call): void {
  exchange.reply.json(200, { models: sim.library.list().map(tagsItem) });
}

/** GET /api/ps: the longest-lived first; models that run elsewhere are never in it. */
export function handlePs({ sim, exchange }: Call): void {
  const items = sim.scheduler.runners.map(psItem);
  items.sort((a, b) => Date.parse(String(b.expires_at)) - Date.parse(String(a.expires_at)));
  exchange.reply.json(200, { models: items });
}

/** POST /api/show. */
export function handleShow(call: Call) {
  const { exchange } = call;
  const bound = bindNativeBody(call.payload, requestStructs.show);
  if (bound.kind === "error") return exchange.reply.json(400, { error: bound.message });
  const text = textOf(bound.fields, "model") || textOf(bound.fields, "name");
  const found = findModel(call, text, showErrors);
  if (found.kind === "error") return exchange.reply.json(found.status, { error: found.message });
  const isCopilot = /^GitHubCopilotChat\//.test(exchange.request.headers["user-agent"] ?? "");
  exchange.reply.json(200, showAnswer(found.model, isCopilot ? text : null));
}

/** GET /v1/models: `data` is null, not [], when there is none. */
export function handleOpenaiModels({ sim, exchange }: Call): void {
  const models = sim.library.list();
  const data = models.map(({ name, modifiedAtMs }) => openaiModel(name, modifiedAtMs));
  exchange.reply.encoded(200, { object: "list", data: data.length > 0 ? data : null });
}

/** GET /v1/models/{name}: a name with a slash cannot come this far. */
export function handleOpenaiModel(call: Call) {
  const { exchange } = call;
  const found = findModel(call, exchange.parameter, showErrors);
  if (found.kind === "error") {
    return answerOpenaiError(exchange.reply, found.status, found.message, "handler");
  }
  exchange.reply.encoded(200, openaiModel(exchange.parameter, found.model.modifiedAtMs));
}

function openaiModel(name: string, modifiedAtMs: number): Readonly<Record<string, unknown>> {
  const owned_by = parseModelName(name).namespace;
  return { id: name, object: "model", created: Math.floor(modifiedAtMs / 1_000), owned_by };
}
