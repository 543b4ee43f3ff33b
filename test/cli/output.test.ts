import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linesOf } from "../../src/cli/client/lines.ts";
import { durationText } from "../../src/cli/output/duration-text.ts";
import { printable, printableJson, printableLines } from "../../src/cli/output/printable.ts";
import { sizeText } from "../../src/cli/output/size-text.ts";
import { table } from "../../src/cli/output/table.ts";

const steering = /(?![\n\t])[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;

describe("what a terminal is shown", () => {
  test("neither colours, moves the cursor nor turns the writing, whatever the server says", () => {
    const hostile = "a\u001b[31mred\u001b]0;title\u0007\u009b2J\u202eevil\rb";

    expect(printable(hostile)).not.toMatch(steering);
    expect(printable("two\nlines")).toBe("two lines");
    expect(printableLines("two\r\nlines\tand\u0008")).toBe("two\nlines\tand\ufffd");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(printable(text)).not.toMatch(steering);
        expect(printableLines(text)).not.toMatch(steering);
      }),
    );
  });

  test("is JSON of the same value, with its numbers as they were sent", () => {
    expect(printableJson('{"n":12345678901234567890,\n"t":"\u009b"}')).toBe(
      '{"n":12345678901234567890,\n"t":"\\u009b"}',
    );
    fc.assert(
      fc.property(fc.json({ stringUnit: "binary" }), (json) => {
        expect(printableJson(json)).not.toMatch(steering);
        expect(JSON.parse(printableJson(json))).toEqual(JSON.parse(json));
      }),
    );
  });

  test("is a table that keeps to the terminal's width, and tells all in a pipe", () => {
    const rows = [["short", 1, "a reason of more letters than fit there"]] as const;

    expect(table(["NAME", "N", "WHY"], rows, 30).split("\n")).toEqual([
      "NAME   N  WHY",
      "short  1  a reason of more le…",
    ]);
    expect(table(["NAME", "N", "WHY"], rows, null)).toContain("than fit there");
  });

  test.each([
    [0, "0 ms"],
    [999, "999 ms"],
    [1_000, "1s"],
    [200_000, "3m 20s"],
    [7_500_000, "2h 5m"],
    [86_400_000, "1d"],
  ])("of %i ms says %s", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  test("has sizes as Ollama lists them", () => {
    expect([0, 999, 1_000, 4_661_224_676, 23_938_331_648].map(sizeText)).toEqual([
      "0 B",
      "999 B",
      "1.0 kB",
      "4.7 GB",
      "24 GB",
    ]);
  });
});

describe("the lines of a stream", () => {
  const read = async (chunks: readonly Uint8Array[], max = 1_000) => {
    const lines: (readonly [number, string])[] = [];
    for await (const { number, text } of linesOf(Readable.from(chunks), max)) {
      lines.push([number, text]);
    }
    return lines;
  };

  test("are the same however it is cut, and U+2028 ends none", async () => {
    const text = '{"a":"é\u2028"}\r\n\n{"b":2}\n{"c":"last"}';
    const bytes = Buffer.from(text);
    const expected = [
      [1, '{"a":"é\u2028"}'],
      [3, '{"b":2}'],
      [4, '{"c":"last"}'],
    ];

    expect(await read([bytes])).toEqual(expected);
    expect(await read([...bytes].map((byte) => Buffer.of(byte)))).toEqual(expected);
  });

  test("may be of the limit's length and no longer", async () => {
    expect(await read([Buffer.from("12345")], 5)).toEqual([[1, "12345"]]);
    await expect(read([Buffer.from("\n123456")], 5)).rejects.toThrow("line 2 is longer");
  });
});
