import type { Refusal } from "../wire/request-refusals.ts";
import { answer, type Call } from "./call.ts";
import { errorBody } from "./error-shapes.ts";
import { newRequestId } from "./request-id.ts";

/** Ollama's compatibility layer sets this for a stream before it knows of any error. */
const streamHeaders: { readonly [path: string]: readonly string[] } = {
  "/v1/messages": ["Cache-Control", "no-cache"],
  "/v1/responses": ["Cache-Control", "no-cache"],
};

/** Refuses a request in Ollama's words, as Ollama would. */
export function refuse(call: Call, refusal: Omit<Refusal, "kind">, isStream = false): void {
  const { message, statusCode, writtenBy } = refusal;
  const options = { requestId: newRequestId(), writtenBy };
  const { body, contentType } = errorBody(call.shape, statusCode, message, options);
  const early = isStream ? (streamHeaders[call.path] ?? []) : [];
  answer(call, statusCode, [...early, "Content-Type", contentType], body);
}

/** Refuses a model that the target does not have (server/routes.go), the name as it was sent. */
export function refuseUnknown(call: Call, model: string, isStream = false): void {
  const message = `model '${model}' not found`;
  refuse(call, { statusCode: 404, message, writtenBy: "handler" }, isStream);
}
