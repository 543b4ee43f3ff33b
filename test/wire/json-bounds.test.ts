/** I2: what would keep the parser long is noticed before it is parsed, at exactly the limit. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonBounds } from "../../src/wire/json-bounds.ts";
import { runtimeLimits } from "../../src/wire/runtime-limits.ts";

const { jsonDepth, jsonValues } = runtimeLimits;

const problemOf = (text: string, pieceBytes = 1_000) => {
  const bounds = new JsonBounds();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    bounds.write(bytes.subarray(at, at + pieceBytes));
  }
  return bounds.problem;
};

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describe("JsonBounds", () => {
  test("I2 lets the deepest text through, and refuses one level more with the number", () => {
    expect(problemOf(nested(jsonDepth))).toBeNull();
    expect(problemOf(nested(jsonDepth + 1))).toContain(`deeper than ${jsonDepth} levels`);
    expect(problemOf('{"a":'.repeat(jsonDepth + 1))).toContain(`deeper than ${jsonDepth}`);
  });

  test("I2 counts what stands side by side, not what is one behind the other in depth", () => {
    expect(problemOf(`[${"[],".repeat(200)}[]]`)).toBeNull();
  });

  test("I2 lets the most crowded text through, and refuses one element more", () => {
    const list = (length: number) => JSON.stringify(Array.from({ length }, () => 0));

    expect(problemOf(list(jsonValues))).toBeNull();
    expect(problemOf(list(jsonValues + 1))).toContain(`more than ${jsonValues}`);
  });

  test("takes what stands in a string for text, however the bytes are cut", () => {
    const text = JSON.stringify({ a: `${'[{",\\'.repeat(jsonValues)}`, b: "\\" });
    const fullBounds = (pieceBytes: number) => problemOf(text, pieceBytes);

    expect([1, 2, 3, 7, text.length].map(fullBounds)).toEqual([null, null, null, null, null]);
  });

  test("I2 never complains of an ordinary value, and always of one that is too deep", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.integer({ min: 1, max: 9 }), (text, pieceBytes) => {
        expect(problemOf(text, pieceBytes)).toBeNull();
        const wrapped = `${"[".repeat(jsonDepth)}[${text}]${"]".repeat(jsonDepth)}`;
        expect(problemOf(wrapped, pieceBytes)).not.toBeNull();
      }),
      { numRuns: 200 },
    );
  });
});
