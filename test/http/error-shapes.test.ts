import { describe, expect, test } from "vitest";
import { type ErrorShape, errorBody, errorFrame } from "../../src/http/error-shapes.ts";
import { readFixture } from "../fixtures/read-fixture.ts";

type ShapeCase = {
  shape: ErrorShape;
  status: number;
  message: string;
  middleware: string;
  handler: string;
  frame?: string;
};

const cases = readFixture<ShapeCase>("error-shapes");

describe("errorBody", () => {
  test("has the bytes that Go marshals", () => {
    for (const { shape, status, message, middleware, handler } of cases) {
      const requestId = "req_1";
      const early = errorBody(shape, status, message, { requestId, writtenBy: "middleware" });
      const late = errorBody(shape, status, message, { requestId });

      expect(early.body).toBe(middleware);
      expect(late.body).toBe(handler);
    }
  });

  test("leaves the request id out when there is none", () => {
    const { body } = errorBody("anthropic", 503, "busy");

    expect(JSON.parse(body)).toEqual({
      type: "error",
      error: { type: "overloaded_error", message: "busy" },
    });
  });

  test("replaces half a surrogate pair, which no Go string can hold", () => {
    expect(errorBody("native", 500, "a\ud83d").body).toBe('{"error":"a\ufffd"}');
  });
});

describe("errorBody below /api/runtime/", () => {
  test("is what FastAPI's clients read: a text with its code, or a list of problems", () => {
    const problems = [{ loc: ["body", "items", 3], msg: "Field required", type: "missing" }];
    const coded = errorBody("fastapi", 503, "away", { code: "provider_unavailable" });
    const listed = errorBody("fastapi", 422, "body", { code: "invalid_request", problems });

    expect(coded).toEqual({
      contentType: "application/json",
      body: '{"detail":"away","code":"provider_unavailable"}',
    });
    expect(JSON.parse(listed.body)).toEqual({ detail: problems });
  });
});

describe("errorFrame", () => {
  test("is what Ollama would write into the stream", () => {
    for (const { shape, status, message, frame } of cases) {
      if (frame !== undefined) expect(errorFrame(shape, status, message)).toBe(frame);
    }
  });

  test("is an SSE frame of one line for OpenAI's clients, whatever the message", () => {
    const frame = errorFrame("openai", 502, "lost\n\ndata: [DONE]");

    expect(frame).toMatch(/^data: [^\n]+\n\n$/);
    expect(JSON.parse(frame.slice("data: ".length))).toEqual({
      error: { message: "lost\n\ndata: [DONE]", type: "api_error", param: null, code: null },
    });
  });
});
