/** Which answers are taken for JSON: decided once, and told in docs/api.md. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readJsonAnswer } from "../../../src/runtime/output/read-json-answer.ts";
import { runtimeLimits } from "../../../src/wire/runtime-limits.ts";

const jsonIn = (content: string) => {
  const read = readJsonAnswer(content);
  return read.kind === "json" ? read.json : read;
};
const messageOf = (content: string) => {
  const read = readJsonAnswer(content);
  return read.kind === "invalid" ? read.message : null;
};

describe("readJsonAnswer", () => {
  test.each([
    ["as it is", '{"a":1}'],
    ["with space around it", ' \n{"a":1}\n'],
    ["behind a byte order mark", '\ufeff{"a":1}'],
    ["in a fence", '```json\n{"a":1}\n```'],
    ["in a fence without a label", '```\n{"a":1}```\n'],
    ["in a fence of Windows lines", '\r\n```JSON\r\n{"a":1}\r\n```\r\n'],
  ])("reads JSON %s", (_, content) => {
    expect(jsonIn(content)).toEqual({ a: 1 });
  });

  test.each([
    ["prose before it", 'Here it is:\n```json\n{"a":1}\n```'],
    ["prose behind it", '{"a":1}\nDone.'],
    ["two fences", '```json\n{"a":1}\n```\n```json\n{"a":2}\n```'],
    ["a fence of another language", "```js\n{a: 1}\n```"],
    ["a fence that is not closed", '```json\n{"a":1}'],
    ["single quotes", "{'a':1}"],
    ["a trailing comma", '{"a":1,}'],
    ["a comment", '{"a":1} // yes'],
    ["NaN", '{"a":NaN}'],
    ["two values", '{"a":1}{"a":2}'],
    ["an end that is cut off", '{"a":"b'],
    ["a number that no double holds", '{"a":[1,-1e999]}'],
  ])("does not guess at %s", (_, content) => {
    expect(messageOf(content)).toEqual(expect.stringMatching(/^the answer (is not JSON|has a n)/));
  });

  test("says of nothing that it is nothing", () => {
    for (const content of ["", " \n", "```json\n```"]) {
      expect(messageOf(content)).toBe("the answer is empty");
    }
  });

  test("takes a fence inside a text for text", () => {
    const json = { code: "```json\n{}\n```" };

    expect(jsonIn(JSON.stringify(json))).toEqual(json);
  });

  test("takes any JSON value: who wants an object asks for one by a schema", () => {
    expect(["null", "false", "0", '""', "[]"].map(jsonIn)).toEqual([null, false, 0, "", []]);
  });

  test("names the largest answer, and what is too deep", () => {
    const { jsonAnswerBytes, jsonDepth } = runtimeLimits;
    const textOf = (bytes: number) => `"${"a".repeat(bytes - 2)}"`;

    expect(messageOf(textOf(jsonAnswerBytes))).toBeNull();
    expect(messageOf(textOf(jsonAnswerBytes + 1))).toContain(String(jsonAnswerBytes));
    expect(messageOf("[".repeat(jsonDepth + 1))).toContain(`deeper than ${jsonDepth} levels`);
  });

  test("reads whatever JSON.stringify writes, and nothing else that begins so", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);

        expect(jsonIn(text)).toEqual(JSON.parse(text));
        expect(jsonIn(`\`\`\`json\n${text}\n\`\`\``)).toEqual(JSON.parse(text));
        expect(messageOf(`${text} x`)).not.toBeNull();
      }),
    );
  });
});
