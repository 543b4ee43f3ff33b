import { describe, expect, test } from "vitest";
import { JsonPeek, memberBytesMax, type PeekResult, repeatsMax } from "../../src/wire/json-peek.ts";
import { readFixture } from "../fixtures/read-fixture.ts";

type GoCase = {
  /** The body's bytes, each as one Latin-1 letter. */
  body: string;
  error?: string;
  kind?: string;
  members?: Record<string, string>;
};

const names = ["model", "stream", "keep_alive", "options", "messages"];
const goCases = readFixture<GoCase>("go-json");

function peekInPieces(body: Buffer, pieceBytes: number, raw = names): PeekResult {
  const peek = new JsonPeek({ raw, kindOnly: [] });
  for (let at = 0; at < body.length; at += pieceBytes) {
    peek.write(body.subarray(at, at + pieceBytes));
  }
  return peek.end();
}

function peekText(text: string): PeekResult {
  return peekInPieces(Buffer.from(text), 1 << 20);
}

function membersOf(result: PeekResult): Record<string, string> {
  if (result.kind !== "value") return {};
  const entries = result.members.map(({ name, raw }) => [name, raw?.toString("latin1")]);
  return Object.fromEntries(entries);
}

describe("JsonPeek", () => {
  test.each([1, 2, 7, 1 << 20])(
    "accepts and refuses what Go does, in pieces of %i bytes",
    (size) => {
      for (const { body, error } of goCases) {
        const result = peekInPieces(Buffer.from(body, "latin1"), size);

        expect(result.kind === "malformed" ? result.message : undefined, body).toBe(error);
      }
    },
  );

  test.each([1, 3, 1 << 20])("finds the members that Go decodes, in pieces of %i bytes", (size) => {
    for (const { body, error, kind, members } of goCases) {
      if (error !== undefined) continue;
      const result = peekInPieces(Buffer.from(body, "latin1"), size);

      expect(result.kind === "value" ? result.valueKind : null, body).toBe(kind);
      expect(membersOf(result), body).toEqual(members ?? {});
    }
  });

  test("tells the kind and the emptiness of a member", () => {
    const result = peekText(
      '{"model":"","stream":[ ],"options":{\n},"messages":[0],"keep_alive":0}',
    );

    const members = result.kind === "value" ? result.members : [];
    expect(members.map(({ kind, isEmpty }) => [kind, isEmpty])).toEqual([
      ["string", true],
      ["array", true],
      ["object", true],
      ["array", false],
      ["number", false],
    ]);
  });

  test("says where a member can be spliced in, and whether a comma is needed", () => {
    const filled = peekInPieces(Buffer.from(' \n{ "a":1}'), 1);
    const empty = peekInPieces(Buffer.from("{ }"), 1);
    const list = peekText("[{}]");

    expect(filled).toMatchObject({ object: { contentOffset: 3, isEmpty: false } });
    expect(empty).toMatchObject({ object: { contentOffset: 1, isEmpty: true } });
    expect(list).toMatchObject({ object: null });
  });

  test.each([
    [9_999, null],
    [10_000, null],
    [10_001, "invalid character '[' exceeded max depth"],
  ])("with %i levels of nesting says %s, as Go does", (levels, message) => {
    const result = peekText("[".repeat(levels) + "]".repeat(levels));

    expect(result.kind === "malformed" ? result.message : null).toBe(message);
  });

  test("keeps the bytes of a member up to the limit, and only its kind beyond", () => {
    const atLimit = `"${"x".repeat(memberBytesMax - 2)}"`;
    const above = `"${"x".repeat(memberBytesMax - 1)}"`;

    const [kept] = membersIn(peekInPieces(Buffer.from(`{"model":${atLimit}}`), 1000));
    const [dropped] = membersIn(peekInPieces(Buffer.from(`{"model":${above}}`), 1000));

    expect(kept?.raw?.toString()).toBe(atLimit);
    expect(dropped).toMatchObject({ kind: "string", isEmpty: false, raw: null });
  });

  test("keeps no bytes of a member whose kind alone was asked for", () => {
    const peek = new JsonPeek({ raw: [], kindOnly: ["messages"] });

    peek.write(Buffer.from('{"messages":[1]}'));

    expect(membersIn(peek.end())).toEqual([
      { name: "messages", kind: "array", isEmpty: false, raw: null },
    ]);
  });

  test.each([repeatsMax, repeatsMax + 1])("of %i repeats keeps the last few in order", (count) => {
    const values = Array.from({ length: count }, (_, index) => String(index));
    const body = `{${values.map((value) => `"model":${value}`).join(",")}}`;

    const kept = membersIn(peekText(body)).map(({ raw }) => raw?.toString());

    expect(kept).toEqual(values.slice(-repeatsMax));
  });

  test("is over at the end of the value, whatever follows", () => {
    const peek = new JsonPeek({ raw: names, kindOnly: [] });

    peek.write(Buffer.from('{"model":"a"}'));

    expect(peek.isOver).toBe(true);
    peek.write(Buffer.from('{"model":"b"}'));
    expect(membersOf(peek.end())).toEqual({ model: '"a"' });
  });

  // Where the four-byte stride begins depends on the chunk's place in memory.
  test("finds the end of a long string from every alignment", () => {
    for (const stop of ['"', "\\n", "\u0001"]) {
      for (let shift = 0; shift < 8; shift += 1) {
        for (let length = 28; length < 76; length += 1) {
          const memory = Buffer.from(`${" ".repeat(shift)}"${"\u00e9".repeat(length)}${stop}"`);
          const peek = new JsonPeek({ raw: [], kindOnly: [] });
          peek.write(memory.subarray(shift));
          const result = peek.end();

          expect(result.kind).toBe(stop === "\u0001" ? "malformed" : "value");
        }
      }
    }
  });
});

function membersIn(result: PeekResult) {
  return result.kind === "value" ? result.members : [];
}
