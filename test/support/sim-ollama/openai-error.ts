import type { Reply } from "./reply.ts";

const errorTypes: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  404: "not_found_error",
};

/** The error object of /v1/*; the type follows the status. */
function openaiError(status: number, message: string): Record<string, unknown> {
  const type = errorTypes[status] ?? "api_error";
  return { error: { message, type, param: null, code: null } };
}

/**
 * An error of the OpenAI layer. One that it finds itself is written by gin (no newline, with a
 * charset); one from the handler below is encoded again on its way out.
 */
export function answerOpenaiError(
  reply: Reply,
  status: number,
  message: string,
  foundBy: "layer" | "handler",
): void {
  const value = openaiError(status, message);
  if (foundBy === "layer") reply.json(status, value);
  else reply.encoded(status, value);
}
