import { describe, expect, test } from "vitest";
import { readGeneration } from "../../src/runtime/read-generation.ts";
import { readResponseFormat } from "../../src/runtime/read-response-format.ts";
import { chatRequest } from "../../src/wire/runtime.ts";
import { imageTypeOf } from "../../src/wire/runtime-message.ts";

const user = { role: "user", content: "Show overdue follow-ups." };
const read = (members: object) =>
  readGeneration(chatRequest.parse({ messages: [user], ...members }));

describe("readGeneration", () => {
  test("puts the system prompt in front, and leaves out what was left out", () => {
    expect(read({ system_prompt: "You are Oracle Planner." })).toEqual({
      messages: [{ role: "system", content: "You are Oracle Planner." }, user],
      sampling: {},
      options: {},
      think: null,
      responseFormat: { kind: "text" },
      fallback: null,
    });
    expect(read({ system_prompt: "" }).messages).toEqual([user]);
  });

  test("hands on sampling, zeros too, and one stop text as a list", () => {
    const sampling = { temperature: 0, top_p: 1, max_tokens: 5, seed: 0 };

    expect(read({ ...sampling, stop: "END" }).sampling).toEqual({ ...sampling, stop: ["END"] });
    expect(read({ temperature: null, stop: null }).sampling).toEqual({});
  });

  test("makes one text of a message's parts, and bare base64 of its images", () => {
    const png = "iVBORw0KGgoAAAA";
    const content = [
      { type: "text", text: "Compare" },
      { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } },
      { type: "text", text: "these." },
    ];
    const { messages } = read({ messages: [{ role: "user", content, images: ["/9j/4AAQ"] }] });

    expect(messages).toEqual([
      { role: "user", content: "Compare\nthese.", images: [png, "/9j/4AAQ"] },
    ]);
    expect(messages[0]?.images?.map(imageTypeOf)).toEqual(["image/png", "image/jpeg"]);
  });

  test("writes a fallback that came as JSON as the text of an answer", () => {
    expect(read({ fallback: { json: { blocks: [] } } }).fallback).toEqual({
      content: '{"blocks":[]}',
    });
    expect(read({ fallback: { json: null } }).fallback).toEqual({ content: "null" });
    expect(read({ fallback: { content: "later" } }).fallback).toEqual({ content: "later" });
  });
});

describe("readResponseFormat", () => {
  const schema = { type: "object", required: ["a"] };

  test.each([
    [undefined, { kind: "text" }],
    [null, { kind: "text" }],
    ["text", { kind: "text" }],
    [{ type: "text" }, { kind: "text" }],
    ["json", { kind: "json" }],
    [{ type: "json_object" }, { kind: "json" }],
    [schema, { kind: "schema", schema }],
    [{}, { kind: "schema", schema: {} }],
    [
      { type: "json_schema", json_schema: { name: "plan", schema } },
      { kind: "schema", schema },
    ],
  ])("reads %j", (given, format) => {
    const { response_format } = chatRequest.parse({ messages: [user], response_format: given });

    expect(readResponseFormat(response_format).format).toEqual(format);
  });

  test("knows where the schema stands", () => {
    const wrapped = { type: "json_schema", json_schema: { schema } };

    expect(readResponseFormat(wrapped).path).toEqual(["json_schema", "schema"]);
    expect(readResponseFormat(schema).path).toEqual([]);
  });
});
