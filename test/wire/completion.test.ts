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
  test("S4: is the same however its bytes are cut", async () => {
    const whole = await completionOf(stream);
    fc.assert(
      fc.property(fc.array(fc.nat({ max: stream.length })), (cuts) => {
        const reader = new CompletionReader();
        const places = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
        places.forEach((at, i) => {
          reader.write(stream.subarray(at, places[i + 1] ?? at));
        });

        expect(reader.end()).toMatchObject({ isDone: true, error: null });
        expect(reader.completion).toEqual(whole);
      }),
    );
    expect(whole).toEqual({
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

  test("is read without its last newline, in one piece, and with lines that are no JSON", async () => {
    const whole = { response: "yes", done: true };

    expect(await completionOf(Buffer.from(JSON.stringify(whole)))).toMatchObject({ text: "yes" });
    const behindHtml = Buffer.from(`<html>\n${JSON.stringify(whole)}`);
    expect(await completionOf(behindHtml)).toMatchObject({ text: "yes" });
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

const line = (content: string, more: object = {}) =>
  `${JSON.stringify({ model: "m", message: { role: "assistant", content, ...more }, done: false })}\n`;
const of = (text: string) => completionOf(Buffer.from(text));

describe("the completion of a native answer", () => {
  test("is all of its words, streamed or not, of a chat or a generate request", async () => {
    expect(await of(line("Hel") + line("lo, wörld"))).toMatchObject({ text: "Hello, wörld" });
    expect(await of(line("whole").trimEnd())).toMatchObject({ text: "whole" });
    expect(await of('{"response":"a"}\n{"response":"b","done":true}\n')).toMatchObject({
      text: "ab",
    });
    expect(await of("")).toEqual({ text: "", thinking: "", toolCalls: [] });
  });

  test("keeps thoughts and tool calls apart, and passes over what is no JSON", async () => {
    const call = { function: { name: "f", arguments: {} } };

    const completion = await of(
      `${line("a", { thinking: "hm" })}\n\nno json\n${line("b", { tool_calls: [call, call] })}`,
    );

    expect(completion).toEqual({ text: "ab", thinking: "hm", toolCalls: [call, call] });
  });

  test("of a long answer lets the event loop turn in between, and loses nothing", async () => {
    const words = Array.from({ length: 40_000 }, (_, i) => `word ${i} `);
    const body = Buffer.from(words.map((word) => line(word)).join(""));
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);

    const { text } = await completionOf(body);
    isOver = true;

    expect(text).toBe(words.join(""));
    expect(turns).toBeGreaterThanOrEqual(Math.floor(body.length / (512 * 1024)));
  });
});
