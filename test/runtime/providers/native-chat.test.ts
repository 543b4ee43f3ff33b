import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nativeChat } from "../../../src/runtime/providers/native-chat.ts";
import { JsonPeek } from "../../../src/wire/json-peek.ts";
import { peekPlan, peekRequest } from "../../../src/wire/peek-request.ts";
import { aGeneration } from "../a-generation.ts";

const asked = (facts: Parameters<typeof aGeneration>[0], keepAlive: string | null = null) =>
  JSON.parse(nativeChat(aGeneration(facts), { model: "m", keepAlive }).body.toString());

/** What the front door reads of such a body when a client sends it itself. */
function peeked(body: Buffer) {
  const peek = new JsonPeek(peekPlan("chat"));
  peek.write(body);
  return peekRequest("chat", peek.end());
}

describe("a chat for Ollama", () => {
  test("says no more than the request does, and is a stream, so that its life is seen", () => {
    expect(asked({})).toEqual({
      model: "m",
      messages: [{ role: "user", content: "Show overdue follow-ups." }],
      stream: true,
    });
  });

  test("has images beside the text, as Ollama takes them", () => {
    const messages = [{ role: "user", content: "What?", images: ["/9j/AAAA"] }];

    expect(asked({ messages }).messages).toEqual(messages);
  });

  test("has sampling in Ollama's words, and the request's own word counts", () => {
    const sampling = { temperature: 0.2, top_p: 0.9, max_tokens: 64, seed: 7, stop: ["\n\n"] };
    const options = { num_ctx: 8192, temperature: 1, num_predict: 5 };

    expect(asked({ sampling, options }).options).toEqual({
      num_ctx: 8192,
      temperature: 0.2,
      top_p: 0.9,
      num_predict: 64,
      seed: 7,
      stop: ["\n\n"],
    });
  });

  test.each([
    [{ kind: "text" }, undefined],
    [{ kind: "json" }, "json"],
    [{ kind: "schema", schema: { type: "object" } }, { type: "object" }],
  ] as const)("of the format %j asks for %j", (responseFormat, format) => {
    expect(asked({ responseFormat }).format).toEqual(format);
  });

  test.each([true, false, "high"])("with think %j passes it on", (think) => {
    expect(asked({ think }).think).toBe(think);
  });

  test.each([
    ["300", 300],
    ["-1", -1],
    ["30m", "30m"],
  ])("with FOREMAN_KEEP_ALIVE=%s keeps the model for %j", (setting, value) => {
    expect(asked({}, setting).keep_alive).toBe(value);
  });

  test("has the load options that the front door would read out of it", () => {
    // JSON has neither infinities nor NaN.
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    const value = fc.oneof(fc.integer(), number, fc.boolean(), fc.constant(null), fc.string());
    const name = fc.constantFrom("num_ctx", "num_gpu", "use_mmap", "num_thread", "top_k", "seed");

    fc.assert(
      fc.property(fc.dictionary(name, value), (options) => {
        const { body, loadOptions } = nativeChat(aGeneration({ options }), {
          model: "m",
          keepAlive: null,
        });
        const seen = peeked(body);
        expect(seen.kind === "request" ? seen.loadOptions : seen.message).toBe(loadOptions);
      }),
    );
  });
});
