/** What the runtime-LLM API takes, at both sides of each limit. */
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { problemsOf, pydanticWords } from "../../src/wire/problem.ts";
import {
  approvalRequest,
  batchHead,
  batchItem,
  batchRequest,
  chatRequest,
  providerOrder,
  providerPatch,
} from "../../src/wire/runtime.ts";
import { runtimeLimits } from "../../src/wire/runtime-limits.ts";
import { batchListQuery, resultsQuery } from "../../src/wire/runtime-queries.ts";

const user = { role: "user", content: "Show overdue follow-ups." };
const png = `iVBORw0KGgo${"A".repeat(9)}`;

/** Where a parse complains, or "sound". */
const placesIn = (schema: z.ZodType, given: unknown) => {
  const parsed = schema.safeParse(given, pydanticWords);
  if (parsed.success) return "sound";
  return problemsOf(parsed.error, []).map(({ loc, type }) => `${loc.join(".")} ${type}`);
};
const chat = (members: object) => placesIn(chatRequest, { messages: [user], ...members });
const item = (members: object) =>
  placesIn(batchItem, { request_id: "req_001", messages: [user], ...members });

describe("a chat request", () => {
  test("is as the seed has it", () => {
    const seed = {
      provider: "ollama",
      model: "qwen3.6:35b-a3b",
      system_prompt: "You are Oracle Planner.",
      messages: [
        { role: "user", content: "Build a CRM pipeline view for high-intent NRI buyers." },
      ],
      temperature: 0.2,
      response_format: "json",
    };

    expect(chatRequest.parse(seed)).toEqual(seed);
  });

  test("passes over members that it does not know, and takes null for one left out", () => {
    const parsed = chatRequest.parse({ messages: [user], model: null, later: { a: 1 } });

    expect(parsed).toEqual({ messages: [user], model: null });
  });

  test("takes text, parts, and images in both manners", () => {
    const url = `data:image/png;base64,${png}`;
    const parts = [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url } },
    ];

    expect(chat({ messages: [{ role: "user", content: parts }] })).toBe("sound");
    expect(chat({ messages: [{ ...user, images: [png] }] })).toBe("sound");
  });

  test.each([
    ["an image to be fetched", [{ type: "image_url", image_url: { url: "http://x/a.png" } }]],
    [
      "an image of no known kind",
      [{ type: "image_url", image_url: { url: "data:image/x;base64,QQ==" } }],
    ],
    ["bare base64 for a URL", [{ type: "image_url", image_url: { url: png } }]],
    ["a sound", [{ type: "input_audio", input_audio: {} }]],
    ["no part at all", []],
    ["a number", 7],
    ["nothing", null],
  ])("refuses %s as content", (_, content) => {
    expect(chat({ messages: [{ role: "user", content }] })).toEqual([
      expect.stringMatching(/^messages\.0\.content/),
    ]);
  });

  test("refuses what would change the answer if it were passed over", () => {
    expect(chat({ stream: true })).toEqual(["stream value_error"]);
    expect(chat({ tools: [{ type: "function" }] })).toEqual(["tools value_error"]);
    expect(chat({ messages: [{ role: "tool", content: "42" }] })).toEqual([
      "messages.0.role literal_error",
    ]);
    expect(chat({ stream: false, tools: [] })).toBe("sound");
  });

  test.each(["text", "json", { type: "json_object" }, { type: "text" }, { type: "object" }, {}])(
    "takes %j as its response_format",
    (response_format) => {
      expect(chat({ response_format })).toBe("sound");
    },
  );

  test("takes OpenAI's json_schema with a schema, and names the place of a missing one", () => {
    const place = ["response_format.json_schema.schema value_error"];
    const wrapped = (json_schema: unknown) =>
      chat({ response_format: { type: "json_schema", json_schema } });

    expect(wrapped({ name: "plan", strict: true, schema: { type: "object" } })).toBe("sound");
    expect(wrapped({ name: "plan" })).toEqual(place);
    expect(wrapped({ schema: true })).toEqual(place);
    expect(wrapped(undefined)).toEqual(place);
    expect(chat({ response_format: "xml" })).toEqual(["response_format value_error"]);
    expect(chat({ response_format: [{ type: "object" }] })).toEqual([
      "response_format value_error",
    ]);
  });

  test("takes a fallback with one of content and json, be it null", () => {
    expect(chat({ fallback: { content: "" } })).toBe("sound");
    expect(chat({ fallback: { json: null } })).toBe("sound");
    expect(chat({ fallback: {} })).toEqual(["fallback value_error"]);
    expect(chat({ fallback: { content: "", json: 1 } })).toEqual(["fallback value_error"]);
  });

  test("bounds what can be bounded", () => {
    const { modelLength, stopSequences } = runtimeLimits;

    expect(chat({ messages: [] })).toEqual(["messages too_short"]);
    expect(chat({ temperature: 2 })).toBe("sound");
    expect(chat({ temperature: 2.1 })).toEqual(["temperature less_than_equal"]);
    expect(chat({ max_tokens: 0 })).toEqual(["max_tokens greater_than_equal"]);
    expect(chat({ stop: Array(stopSequences).fill("x") })).toBe("sound");
    expect(chat({ stop: Array(stopSequences + 1).fill("x") })).toEqual(["stop too_long"]);
    expect(chat({ model: "m".repeat(modelLength) })).toBe("sound");
    expect(chat({ model: "m".repeat(modelLength + 1) })).toEqual(["model string_too_long"]);
    expect(chat({ options: { num_ctx: 8_192, stop: ["x"], a: { b: 1 } } })).toEqual([
      "options.a value_error",
    ]);
    expect(chat({ provider: "openai" })).toEqual(["provider literal_error"]);
    expect(chat({ think: "extreme" })).toEqual(["think value_error"]);
  });
});

describe("a batch", () => {
  test("is as the seed has it", () => {
    const seed = {
      provider: "ollama",
      model: "qwen3.6:35b-a3b",
      job_type: "oracle_canvas_planning",
      items: [
        { request_id: "req_001", messages: [user], response_format: "json" },
        { request_id: "req_002", messages: [user], response_format: "json" },
      ],
    };

    expect(batchRequest.parse(seed)).toEqual(seed);
    expect(batchHead.parse(seed)).toEqual({
      provider: seed.provider,
      model: seed.model,
      job_type: seed.job_type,
    });
  });

  test("holds an id to what can stand in a path, and to its length", () => {
    const { requestIdLength } = runtimeLimits;

    for (const request_id of ["a b", "ä:1", "a%2Fb", "...", "x".repeat(requestIdLength)]) {
      expect(item({ request_id })).toBe("sound");
    }
    for (const request_id of ["", "a/b", "a\\b", ".", "..", "a\n", "\ud800"]) {
      expect(item({ request_id })).not.toBe("sound");
    }
    expect(item({ request_id: "x".repeat(requestIdLength + 1) })).toEqual([
      "request_id string_too_long",
    ]);
  });

  test("has one item at least and 50,000 at most", () => {
    const head = { job_type: "planning" };
    const one = { request_id: "a", messages: [user] };
    const of = (length: number) =>
      placesIn(batchRequest, { ...head, items: Array(length).fill(one) });

    expect(of(0)).toEqual(["items too_short"]);
    expect(of(50_000)).toBe("sound");
    expect(of(50_001)).toEqual(["items too_long"]);
  });
});

describe("the operator's requests", () => {
  test("name each provider once, or leave the order to the rule", () => {
    const all = ["deterministic_fallback", "nemoclaw", "ollama"];

    expect(placesIn(providerOrder, { order: all })).toBe("sound");
    expect(placesIn(providerOrder, { order: null, note: "as before" })).toBe("sound");
    expect(placesIn(providerOrder, { order: [...all, "ollama"] })).toEqual(["order value_error"]);
    expect(placesIn(providerOrder, { order: ["ollama"] })).toEqual(["order value_error"]);
    expect(placesIn(providerOrder, {})).toEqual(["order missing"]);
  });

  test("change something, and not too much at once", () => {
    const models = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, false]));

    expect(placesIn(providerPatch, { enabled: false })).toBe("sound");
    expect(placesIn(providerPatch, { models: models(20) })).toBe("sound");
    expect(placesIn(providerPatch, { models: models(21) })).toEqual(["models value_error"]);
    expect(placesIn(providerPatch, { models: {} })).toEqual([" value_error"]);
    expect(placesIn(providerPatch, { note: "why" })).toEqual([" value_error"]);
  });
});

describe("an approval", () => {
  test("needs no body", () => {
    expect(approvalRequest.parse(undefined)).toEqual({});
    expect(approvalRequest.parse({ by: "dana", note: "checked" })).toEqual({
      by: "dana",
      note: "checked",
    });
  });
});

describe("a query", () => {
  test("has its defaults and its bounds", () => {
    expect(resultsQuery.parse({})).toEqual({ after: 0, limit: 100 });
    expect(resultsQuery.parse({ approval: "approved", limit: "1000", after: "7" })).toEqual({
      approval: "approved",
      limit: 1_000,
      after: 7,
    });
    expect(placesIn(resultsQuery, { limit: "1001" })).toEqual(["limit less_than_equal"]);
    expect(placesIn(resultsQuery, { limit: "ten" })).toEqual(["limit float_type"]);
    expect(placesIn(batchListQuery, { status: "done" })).toEqual(["status literal_error"]);
  });
});
