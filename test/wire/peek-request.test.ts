import { describe, expect, test } from "vitest";
import { errorBody } from "../../src/http/error-shapes.ts";
import { JsonPeek } from "../../src/wire/json-peek.ts";
import { type PeekedRequest, peekPlan, peekRequest } from "../../src/wire/peek-request.ts";
import type { RequestKind } from "../../src/wire/request-fields.ts";
import type { Refusal } from "../../src/wire/request-refusals.ts";
import { readFixture } from "../fixtures/read-fixture.ts";

type Answered = {
  kind: RequestKind;
  /** The body's bytes, each as one Latin-1 letter; of ollama-requests, text. */
  body: string;
  status: number;
  contentType: string;
  answer: string;
};

type Decoded = Answered & {
  facts: {
    model: string;
    stream: boolean;
    /** Nanoseconds. */
    keepAlive: string | null;
    empty: boolean;
    unload: boolean;
    options: string;
    raw: boolean;
  };
};

const int64Max = 2n ** 63n - 1n;

function peek(kind: RequestKind, body: string | Buffer): PeekedRequest | Refusal {
  const scan = new JsonPeek(peekPlan(kind));
  scan.write(Buffer.from(body));
  return peekRequest(kind, scan.end());
}

function accepted(kind: RequestKind, body: string): PeekedRequest {
  const request = peek(kind, body);
  if (request.kind === "refusal") throw new Error(request.message);
  return request;
}

function answerTo(kind: RequestKind, refusal: Refusal, requestId: string | undefined) {
  const shape = kind.startsWith("openai") ? "openai" : "native";
  return errorBody(
    kind === "anthropic-messages" ? "anthropic" : shape,
    refusal.statusCode,
    refusal.message,
    { writtenBy: refusal.writtenBy, ...(requestId && { requestId }) },
  );
}

function keepAliveOf(ns: string | null): number | "forever" | null {
  if (ns === null) return null;
  const value = BigInt(ns);
  return value < 0n || value === int64Max ? "forever" : Number(value) / 1e6;
}

/** What is wrong inside these foreman does not read: the target says so in its turn. */
const unread = /\[(1|"a")\]|1e999|"content":5/;

describe("peekRequest", () => {
  test("refuses with the bytes that Ollama answers with", () => {
    let refusals = 0;
    for (const { kind, body, status, contentType, answer } of readFixture<Answered>(
      "ollama-refusals",
    )) {
      const request = peek(kind, Buffer.from(body, "latin1"));
      if (request.kind !== "refusal") continue;
      refusals += 1;
      const requestId = /"request_id":"(req_[0-9a-f]+)"/.exec(answer)?.[1];

      expect(request.statusCode, body).toBe(status);
      expect(answerTo(kind, request, requestId), body).toEqual({ contentType, body: answer });
    }
    expect(refusals).toBeGreaterThan(400);
  });

  test("lets through what Ollama refuses for the model alone, or for what is not read", () => {
    for (const { kind, body, status, answer } of readFixture<Answered>("ollama-refusals")) {
      const request = peek(kind, Buffer.from(body, "latin1"));
      if (request.kind === "refusal" || request.source === "cloud" || unread.test(body)) continue;

      expect(status, body).toBe(404);
      expect(answer, body).toContain(`model '${request.model}' not found`);
    }
  });

  test("reads what Ollama decodes", () => {
    for (const { kind, body, facts } of readFixture<Decoded>("ollama-requests")) {
      expect(peek(kind, body), body).toMatchObject({
        kind: "request",
        model: facts.model,
        isStream: facts.stream,
        keepAlive: keepAliveOf(facts.keepAlive),
        isEmptyWork: facts.empty,
        isUnload: facts.unload,
        loadOptions: facts.options,
        refusalIfKnown: facts.raw ? { statusCode: 400 } : null,
      });
    }
  });

  test.each([
    ["generate", true],
    ["chat", true],
    ["openai-completion", false],
    ["openai-responses", false],
  ] as const)("takes %s to stream by default: %s", (kind, isStream) => {
    const request = accepted(kind, '{"model":"m","messages":[{}],"stream":null}');

    expect(request.isStream).toBe(isStream);
  });

  test("keeps the load options of equal requests equal, however they are written", () => {
    const one = accepted("chat", '{"model":"m","options":{"num_gpu":-1,"num_ctx":4096.9}}');
    const other = accepted(
      "chat",
      '{"options":{"temperature":1,"num_ctx":4096,"num_gpu":-1},"model":"m"}',
    );

    expect(one.loadOptions).toBe("num_ctx=4096,num_gpu=-1");
    expect(other.loadOptions).toBe(one.loadOptions);
  });

  test("never refuses a cloud request for its fields", () => {
    const request = peek("anthropic-messages", '{"model":"gpt-oss:20b-cloud","stream":"x"}');

    expect(request).toMatchObject({ kind: "request", source: "cloud" });
  });

  test("tells of a raw conflict only when nothing is unloaded", () => {
    const conflict = accepted("generate", '{"model":"m","prompt":"a","raw":true,"system":"s"}');
    const unload = accepted("generate", '{"model":"m","raw":true,"system":"s","keep_alive":0}');

    expect(conflict.refusalIfKnown?.message).toContain("raw mode does not support");
    expect(unload).toMatchObject({ isUnload: true, refusalIfKnown: null });
  });
});
