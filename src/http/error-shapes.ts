import { goJsonString } from "../wire/go-json-string.ts";
import type { Problem } from "../wire/problem.ts";

/** Whose errors the client expects: `/api/*`, `/v1/*`, `/v1/messages`, `/api/runtime/*`. */
export type ErrorShape = "native" | "openai" | "anthropic" | "fastapi";

export type ErrorOptions = {
  /**
   * Which of Ollama's layers the error stands for. On `/v1/*` what its compatibility layer finds
   * itself (JSON, missing fields) and what it translates from the handler differ in their bytes;
   * what decompresses a body speaks as on `/api/*` everywhere.
   */
  readonly writtenBy?: "decompressor" | "middleware" | "handler";
  /** Anthropic's `request_id`; left out if not given. */
  readonly requestId?: string;
  /** Beside FastAPI's `detail`; left out if not given. */
  readonly code?: string;
  /** FastAPI's `detail` of a malformed request, in the place of the message. */
  readonly problems?: readonly Problem[];
};

/**
 * An error answer, byte for byte as Ollama gives it; below `/api/runtime/` as FastAPI would.
 * Source: Ollama middleware/openai.go, middleware/anthropic.go and gin's render/json.go; checked
 * against test/fixtures/error-shapes.jsonl.
 */
export function errorBody(
  shape: ErrorShape,
  statusCode: number,
  message: string,
  options: ErrorOptions = {},
): { readonly contentType: string; readonly body: string } {
  if (options.writtenBy === "decompressor") return errorBody("native", statusCode, message);
  const json = errorJson(shape, statusCode, message, options);
  if (shape === "fastapi") return { contentType: "application/json", body: json };
  if (shape === "native" || options.writtenBy === "middleware") {
    return { contentType: "application/json; charset=utf-8", body: json };
  }
  return { contentType: "application/json", body: `${json}\n` };
}

/**
 * An error for a stream whose head is out: a line of NDJSON, an SSE frame that OpenAI's clients
 * raise as an error, an `error` event of Anthropic's. It begins a line of its own and ends it;
 * nothing may follow. `statusCode` is the one that the answer would have had.
 */
export function errorFrame(shape: ErrorShape, statusCode: number, message: string): string {
  const json = errorJson(shape, statusCode, message);
  switch (shape) {
    case "native":
      return `${json}\n`;
    case "openai":
      return `data: ${json}\n\n`;
    case "anthropic":
    case "fastapi":
      return `event: error\ndata: ${json}\n\n`;
    default:
      return shape satisfies never;
  }
}

function errorJson(
  shape: ErrorShape,
  statusCode: number,
  message: string,
  { code, problems = [], requestId }: ErrorOptions = {},
): string {
  const text = goJsonString(message);
  switch (shape) {
    case "native":
      return `{"error":${text}}`;
    case "openai": {
      const type = openaiType(statusCode);
      return `{"error":{"message":${text},"type":"${type}","param":null,"code":null}}`;
    }
    case "anthropic": {
      const id = requestId === undefined ? "" : `,"request_id":${goJsonString(requestId)}`;
      const type = anthropicType(statusCode);
      return `{"type":"error","error":{"type":"${type}","message":${text}}${id}}`;
    }
    case "fastapi":
      return JSON.stringify(problems.length > 0 ? { detail: problems } : { detail: message, code });
    default:
      return shape satisfies never;
  }
}

function openaiType(statusCode: number): string {
  if (statusCode === 400) return "invalid_request_error";
  return statusCode === 404 ? "not_found_error" : "api_error";
}

const anthropicTypes: ReadonlyMap<number, string> = new Map([
  [400, "invalid_request_error"],
  [401, "authentication_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [429, "rate_limit_error"],
  [503, "overloaded_error"],
  [529, "overloaded_error"],
]);

function anthropicType(statusCode: number): string {
  return anthropicTypes.get(statusCode) ?? "api_error";
}
