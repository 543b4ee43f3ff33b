import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { createLog } from "../../src/log.ts";
import { formatProblems } from "../../src/runtime/format-problems.ts";
import { OutputCheck } from "../../src/runtime/output/output-check.ts";
import { chatRequest } from "../../src/wire/runtime.ts";

const problemsOf = async (members: object) => {
  const outputCheck = new OutputCheck({ clock: systemClock, log: createLog("silent") });
  onTestFinished(() => outputCheck.stop());
  const messages = [{ role: "user", content: "hi" }];
  return formatProblems(
    chatRequest.parse({ messages, ...members }),
    ["body", "items", 3],
    outputCheck,
  );
};

const plan = { type: "object", required: ["blocks"] };

describe("formatProblems", () => {
  test("finds none in what can be checked", async () => {
    expect(await problemsOf({})).toEqual([]);
    expect(await problemsOf({ response_format: "json" })).toEqual([]);
    expect(await problemsOf({ response_format: plan, fallback: { json: { blocks: [] } } })).toEqual(
      [],
    );
    expect(await problemsOf({ fallback: { content: "not JSON, and nobody asked" } })).toEqual([]);
  });

  test("names the place of a schema that no answer can be checked by", async () => {
    const schema = { type: "objekt" };
    const json_schema = { name: "plan", schema };
    const at = (...path: readonly string[]) => ({
      loc: ["body", "items", 3, "response_format", ...path],
      msg: expect.stringContaining("/type must be equal to one of the allowed values"),
      type: "value_error",
    });

    expect(await problemsOf({ response_format: schema })).toEqual([at()]);
    expect(await problemsOf({ response_format: { type: "json_schema", json_schema } })).toEqual([
      at("json_schema", "schema"),
    ]);
  });

  test("refuses a fallback that would be refused as an answer", async () => {
    const problem = (msg: string) => [
      {
        loc: ["body", "items", 3, "fallback"],
        msg: expect.stringContaining(msg),
        type: "value_error",
      },
    ];

    expect(await problemsOf({ response_format: plan, fallback: { json: { block: [] } } })).toEqual(
      problem("required property 'blocks'"),
    );
    expect(await problemsOf({ response_format: "json", fallback: { content: "sorry" } })).toEqual(
      problem("not JSON"),
    );
  });
});
