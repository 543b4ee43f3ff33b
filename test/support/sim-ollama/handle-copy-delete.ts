import { bindNativeBody, textOf } from "./bind-body.ts";
import { goQuote } from "./go-text.ts";
import { isValidName, parseModelName, readModelReference } from "./model-name.ts";
import { requestStructs } from "./request-structs.ts";
import type { Call } from "./sim-core.ts";

/** POST /api/copy: the copy shares the weights, and so the runner, with its source. */
export function handleCopy(call: Call) {
  const { sim, exchange } = call;
  const { reply } = exchange;
  const bound = bindNativeBody(call.payload, requestStructs.copy);
  if (bound.kind === "error") return reply.json(400, { error: bound.message });
  const source = textOf(bound.fields, "source");
  const destination = textOf(bound.fields, "destination");
  for (const [role, text] of Object.entries({ source, destination })) {
    if (isValidName(parseModelName(text))) continue;
    return reply.json(400, { error: `${role} ${goQuote(text)} is invalid` });
  }
  // Ollama does not look whether there is anything to copy onto itself (measured).
  if (source === destination) return reply.empty(200);
  const model = sim.library.findByText(source);
  if (model === null) {
    return reply.json(404, { error: `model ${goQuote(source)} not found` });
  }
  sim.library.copy(model, parseModelName(destination));
  reply.empty(200);
}

/** DELETE /api/delete, which has a body. */
export function handleDelete(call: Call) {
  const { sim, exchange } = call;
  const { reply } = exchange;
  const bound = bindNativeBody(call.payload, requestStructs.delete);
  if (bound.kind === "error") return reply.json(400, { error: bound.message });
  const text = textOf(bound.fields, "model") || textOf(bound.fields, "name");
  const reference = readModelReference(text);
  switch (reference.kind) {
    case "required":
      return reply.json(400, { error: "model is required" });
    case "conflicting":
      return reply.json(400, { error: reference.message });
    case "invalid":
      return reply.json(400, { error: `name ${goQuote(text)} is invalid` });
    case "named":
      if (sim.library.remove(reference.name)) return reply.empty(200);
      return reply.json(404, { error: `model '${text}' not found` });
  }
}
