import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CompletionReader, completionOf } from "../../src/wire/completion.ts";

const lines = [
  { model: "m", message: { role: "assistant", thinking: "hm ", content: "" }, done: false },
  { model: "m", message: { role: "assistant", content: "Grüße " }, done: false },
  { model: "m", message: { content: "👋", tool_calls: [{ function: { name: "f" } }] } },
  { model: "m", done: true, done_reason: "stop", prompt_eval_count: 7, eval_count: 3 },
];
const stream = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

describe("an answer of Ollama", () => {
  test("S4: is the same however its bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: stream.length })), (cuts) => {
        const reader = new CompletionReader();
        const places = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
        places.forEach((at, i) => {
          reader.write(stream.subarray(at, places[i + 1] ?? at));
        });

        expect(reader.end()).toMatchObject({ isDone: true, error: null });
        expect(reader.completion).toEqual(completionOf(stream));
      }),
    );
    expect(completionOf(stream)).toEqual({
      text: "Grüße 👋",
      thinking: "hm ",
      toolCalls: [{ function: { name: "f" } }],
    });
  });

  test("tells what it cost and why it ended", () => {
    const reader = new CompletionReader();
    reader.write(stream);

    expect(reader.end().facts).toEqual({
      model: "m",
      doneReason: "stop",
      promptTokens: 7,
      completionTokens: 3,
    });
  });

  test("is read without its last newline, in one piece, and with lines that are no JSON", () => {
    const whole = { response: "yes", done: true };

    expect(completionOf(Buffer.from(JSON.stringify(whole))).text).toBe("yes");
    expect(completionOf(Buffer.from(`<html>\n${JSON.stringify(whole)}`)).text).toBe("yes");
  });

  test("U11: that stops short is not done, and an error in its last line is told", () => {
    const cut = new CompletionReader();
    cut.write(Buffer.from('{"message":{"content":"half"}}\n{"error":"runner gone"}\n'));

    expect(cut.end()).toMatchObject({ isDone: false, error: "runner gone" });
  });

  test("counts though what it says of itself is odd", () => {
    const odd = '{"message":{"content":"x"},"model":1,"done":"yes","eval_count":"3"}';
    const reader = new CompletionReader();
    reader.write(Buffer.from(odd));

    expect(reader.end().completion.text).toBe("x");
    expect(reader.facts.completionTokens).toBeNull();
  });
});
