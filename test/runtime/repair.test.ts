import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Verdict } from "../../src/runtime/output/output-check.ts";
import { nextStep, type Tried } from "../../src/runtime/repair.ts";
import { aGeneration } from "./a-generation.ts";

const answer = {
  kind: "answered",
  content: '{"a":"1"}',
  model: "m",
  usage: { prompt_tokens: 3, completion_tokens: 5 },
  finishReason: "stop",
} as const;

const message = "the answer does not fit the schema: /a must be integer";
const invalid: Verdict = { kind: "invalid", message };
const request = aGeneration({ responseFormat: { kind: "json" } });

const step = (facts: Partial<Tried> = {}) =>
  nextStep({ request, answer, verdict: invalid, repairs: 0, repairsMax: 2, ...facts });

describe("nextStep", () => {
  test("1 is done with what was not to be checked, and with what is valid", () => {
    expect(step({ verdict: null })).toEqual({ kind: "done", answer });
    expect(step({ verdict: { kind: "valid", json: null } })).toEqual({
      kind: "done",
      answer: { ...answer, json: null },
    });
  });

  test("2 fails at once where no other answer would do better", () => {
    expect(step({ verdict: { kind: "uncheckable", message: "it takes longer" } })).toMatchObject({
      kind: "failed",
      failure: { code: "invalid_output", message: "it takes longer", isPassing: false },
    });
  });

  test("3 shows the model its answer and what is wrong with it", () => {
    const repaired = step();

    expect(repaired.kind).toBe("repair");
    if (repaired.kind !== "repair") return;
    const { messages, ...rest } = repaired.request;
    expect({ ...rest, messages: request.messages }).toEqual(request);
    expect(messages.slice(0, -2)).toEqual(request.messages);
    expect(messages.at(-2)).toEqual({ role: "assistant", content: answer.content });
    expect(messages.at(-1)?.role).toBe("user");
    expect(messages.at(-1)?.content).toContain("/a must be integer");
  });

  test("3 sends no empty message, and no answer so long that it hides the request", () => {
    const empty = step({ answer: { ...answer, content: " \n" } });
    const endless = step({ answer: { ...answer, content: "x".repeat(1_000_000) } });

    if (empty.kind !== "repair" || endless.kind !== "repair") throw new Error("no repair");
    expect(empty.request.messages).toHaveLength(request.messages.length + 1);
    expect(endless.request.messages.at(-2)?.content.length).toBe(16_000);
  });

  test("4 fails after the last repair, with the validator's words", () => {
    expect(step({ repairs: 1 }).kind).toBe("repair");
    expect(step({ repairs: 2 })).toMatchObject({
      kind: "failed",
      failure: { code: "invalid_output", message: `${message}, after 2 repairs` },
    });
    expect(step({ repairsMax: 0 })).toMatchObject({ kind: "failed", failure: { message } });
  });

  test("tells an answer that was cut off from one that is wrong", () => {
    const cut = { ...answer, content: '{"a":', finishReason: "length" };

    expect(step({ answer: cut, repairs: 2 })).toMatchObject({
      failure: { message: expect.stringContaining("cut off at its length limit") },
    });
  });

  test("depends on the first request and the last answer alone, so that a restart may intervene", () => {
    fc.assert(
      fc.property(fc.nat(5), fc.nat(5), fc.string(), (repairs, repairsMax, content) => {
        const facts = { repairs, repairsMax, answer: { ...answer, content } };
        const stored = JSON.parse(JSON.stringify({ request, ...facts }));

        expect(step(stored)).toEqual(step(facts));
        expect(step(facts).kind).toBe(repairs < repairsMax ? "repair" : "failed");
      }),
    );
  });
});
