import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { createLog } from "../../src/log.ts";
import { generateChecked } from "../../src/runtime/generate-checked.ts";
import {
  failure,
  type GenerationOutcome,
  type GenerationRequest,
} from "../../src/runtime/generation.ts";
import { OutputCheck } from "../../src/runtime/output/output-check.ts";
import { aGeneration } from "./a-generation.ts";

const schema = { type: "object", required: ["a"] };
const request = aGeneration({ responseFormat: { kind: "schema", schema } });

const answered = (content: string, completion_tokens: number | null = 5): GenerationOutcome => ({
  kind: "answered",
  content,
  model: "m",
  usage: { prompt_tokens: 3, completion_tokens },
  finishReason: "stop",
});

/** Answers one after the other; `asked` is what was asked for. */
const generateWith = async (
  outcomes: readonly GenerationOutcome[],
  first: GenerationRequest = request,
  repairsMax = 2,
) => {
  const outputCheck = new OutputCheck({ clock: systemClock, log: createLog("silent") });
  onTestFinished(() => outputCheck.stop());
  const asked: GenerationRequest[] = [];
  const generate = async (next: GenerationRequest) => {
    asked.push(next);
    const outcome = outcomes[asked.length - 1];
    if (outcome === undefined) throw new Error("asked once too often");
    return outcome;
  };
  const checked = await generateChecked(first, { generate, outputCheck, repairsMax });
  return { asked, ...checked };
};

describe("generateChecked", () => {
  test("is content with an answer that fits, and gives it parsed beside the text", async () => {
    const { asked, outcome, repairs } = await generateWith([answered('{"a":1}')]);

    expect(outcome).toMatchObject({ content: '{"a":1}', json: { a: 1 } });
    expect([asked.length, repairs]).toEqual([1, 0]);
  });

  test("has an answer mended, and counts the tokens of every try", async () => {
    const { asked, outcome, repairs } = await generateWith([
      answered("no"),
      answered("{}"),
      answered('{"a":1}'),
    ]);

    expect(outcome).toMatchObject({
      json: { a: 1 },
      usage: { prompt_tokens: 9, completion_tokens: 15 },
    });
    expect(repairs).toBe(2);
    expect(asked.map(({ messages }) => messages.length)).toEqual([1, 3, 3]);
    expect(asked[2]?.messages.at(-1)?.content).toContain("required property 'a'");
  });

  test("gives up after the last repair", async () => {
    const { outcome, repairs } = await generateWith([answered("{}"), answered("[]")], request, 1);

    expect(outcome).toMatchObject({
      kind: "failed",
      code: "invalid_output",
      message: expect.stringContaining("the top must be object, after 1 repair"),
    });
    expect(repairs).toBe(1);
  });

  test("does not repair a failure, be it that of a repair", async () => {
    const away = failure("provider_unavailable", "away");

    expect(await generateWith([away])).toMatchObject({ outcome: away, repairs: 0 });
    expect(await generateWith([answered("{}"), away])).toMatchObject({
      outcome: away,
      repairs: 1,
    });
  });

  test("does not look at an answer of which no shape was asked, nor guesses at tokens", async () => {
    const { outcome } = await generateWith([answered("no", null)], aGeneration());

    expect(outcome).toMatchObject({
      content: "no",
      usage: { prompt_tokens: 3, completion_tokens: null },
    });
    expect(outcome).not.toHaveProperty("json");
  });
});
