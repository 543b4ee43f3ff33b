import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ItemSplitter } from "../../src/wire/split-items.ts";

type Parts = {
  readonly members: Readonly<Record<string, unknown>>;
  readonly items: readonly unknown[];
  readonly problem: string | null;
  readonly listsOfItems: number;
  readonly isObject: boolean;
};

/** Splits a text that arrives in chunks of `size` bytes. */
function split(text: string, size = 7, bounds = { itemBytesMax: 1e6, memberBytesMax: 1e6 }): Parts {
  const members: Record<string, unknown> = {};
  const items: unknown[] = [];
  const splitter = new ItemSplitter({
    ...bounds,
    onMember: (name, value) => {
      members[name] = value && JSON.parse(value.toString());
    },
    onItem: (item) => items.push(item && JSON.parse(item.toString())),
  });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) splitter.write(bytes.subarray(at, at + size));
  const { isObject, listsOfItems } = splitter;
  return { members, items, problem: splitter.end(), listsOfItems, isObject };
}

describe("splitting a batch", () => {
  test("gives every member and every item, wherever the chunks end", () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const indent = fc.constantFrom(undefined, 1, "\t");

    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 20 }), value, { maxKeys: 4 }),
        fc.array(value, { maxLength: 6 }),
        fc.integer({ min: 1, max: 64 }),
        indent,
        (head, items, size, space) => {
          fc.pre(!Object.hasOwn(head, "items") && !Object.hasOwn(head, "__proto__"));
          const { last, ...first } = { ...head, last: items.length };
          const text = JSON.stringify({ ...first, items, last }, null, space);

          const parts = split(text, size);

          const expected = JSON.parse(text);
          expect(parts.items).toEqual(expected.items);
          delete expected.items;
          expect(parts.members).toEqual(expected);
          expect(parts.problem).toBeNull();
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each([
    ['{"items":[1,]}', "invalid character"],
    ['{"items":[1', "unexpected EOF"],
    ['{"items":[{"a":1}}', "invalid character"],
    ["", "EOF"],
  ])("says of %s what is wrong with it", (text, problem) => {
    expect(split(text).problem).toContain(problem);
  });

  test("counts lists of items, and takes items that are no list for a member", () => {
    expect(split('{"items":[1],"items":[2]}')).toMatchObject({ listsOfItems: 2, items: [1, 2] });
    expect(split('{"items":{"a":[1]}}')).toMatchObject({
      listsOfItems: 0,
      items: [],
      members: { items: { a: [1] } },
    });
    expect(split('{"more":{"items":[1]}}')).toMatchObject({ listsOfItems: 0, items: [] });
    expect(split("[1]")).toMatchObject({ isObject: false, items: [] });
    expect(split('{"\\u0069tems":[1]}')).toMatchObject({ items: [1] });
  });

  test("gives null for what is larger than its bound, and goes on behind it", () => {
    const text = `{"small":1,"large":"${"x".repeat(50)}","items":[[1],"${"y".repeat(50)}",[2]]}`;

    const parts = split(text, 9, { itemBytesMax: 20, memberBytesMax: 20 });

    expect(parts.members).toEqual({ small: 1, large: null });
    expect(parts.items).toEqual([[1], null, [2]]);
  });
});
