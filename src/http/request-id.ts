import { randomBytes } from "node:crypto";

/**
 * An id such as Ollama gives each error of /v1/messages; Anthropic's clients show it to their
 * users. Source: Ollama v0.33, whose errors end in `"request_id":"req_` and 24 hex digits.
 */
export function newRequestId(): string {
  return `req_${randomBytes(12).toString("hex")}`;
}
