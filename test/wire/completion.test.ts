import { describe, expect, test } from "vitest";
import { completionOf } from "../../src/wire/completion.ts";

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
