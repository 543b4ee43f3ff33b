import { expect, test } from "vitest";
import { estimateTokens } from "../../src/runtime/estimate-tokens.ts";

test.each([
  [[], 0],
  [[""], 0],
  [["a"], 1],
  [["abcd"], 1],
  [["abcde"], 2],
  [["abc", "de"], 2],
  [["a".repeat(32_000)], 8_000],
])("a prompt is as large as its letters by four: %#", (texts, tokens) => {
  const messages = texts.map((content) => ({ role: "user", content }));

  expect(estimateTokens(messages)).toBe(tokens);
});
