/** The complaints of pydantic 2.12, as FastAPI's clients read them. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { problemsOf, pydanticWords } from "../../src/wire/problem.ts";

const schema = z.object({
  text: z.string().min(2).max(3),
  number: z.number().min(0).max(2),
  count: z.int().min(1),
  flag: z.boolean(),
  list: z
    .array(z.object({ role: z.enum(["system", "user"]) }))
    .min(1)
    .max(2),
  map: z.record(z.string(), z.number()),
  either: z.union([z.string(), z.array(z.object({ type: z.literal("text") }))]),
  part: z.discriminatedUnion("type", [
    z.object({ type: z.literal("text"), text: z.string() }),
    z.object({ type: z.literal("image") }),
  ]),
});

const sound = {
  text: "ab",
  number: 1,
  count: 1,
  flag: true,
  list: [{ role: "user" }],
  map: { a: 1 },
  either: "a",
  part: { type: "text", text: "" },
};

const complaints = (given: unknown) => {
  const parsed = schema.safeParse(given, pydanticWords);
  return parsed.success ? [] : problemsOf(parsed.error, ["body"]);
};
const changed = (change: object) => complaints({ ...sound, ...change });

describe("problemsOf", () => {
  test("finds nothing in a sound value", () => {
    expect(complaints(sound)).toEqual([]);
  });

  test.each([
    [{ text: undefined }, ["text"], "missing", "Field required"],
    [{ text: null }, ["text"], "string_type", "Input should be a valid string"],
    [{ text: "a" }, ["text"], "string_too_short", "String should have at least 2 characters"],
    [{ text: "abcd" }, ["text"], "string_too_long", "String should have at most 3 characters"],
    [{ number: "1" }, ["number"], "float_type", "Input should be a valid number"],
    [{ number: 3 }, ["number"], "less_than_equal", "Input should be less than or equal to 2"],
    [
      { count: 1.5 },
      ["count"],
      "int_from_float",
      "Input should be a valid integer, got a number with a fractional part",
    ],
    [{ count: 0 }, ["count"], "greater_than_equal", "Input should be greater than or equal to 1"],
    [{ flag: "yes" }, ["flag"], "bool_type", "Input should be a valid boolean"],
    [{ list: {} }, ["list"], "list_type", "Input should be a valid list"],
    [
      { list: [] },
      ["list"],
      "too_short",
      "List should have at least 1 item after validation, not 0",
    ],
    [
      { list: [{ role: "user" }, { role: "user" }, { role: "user" }] },
      ["list"],
      "too_long",
      "List should have at most 2 items after validation, not 3",
    ],
    [{ list: [{}] }, ["list", 0, "role"], "missing", "Field required"],
    [
      { list: [{ role: "x" }] },
      ["list", 0, "role"],
      "literal_error",
      "Input should be 'system' or 'user'",
    ],
    [{ map: 1 }, ["map"], "dict_type", "Input should be a valid dictionary"],
    [{ map: { a: "b" } }, ["map", "a"], "float_type", "Input should be a valid number"],
    [{ either: [{ type: "x" }] }, ["either", 0, "type"], "literal_error", "Input should be 'text'"],
    [
      { part: { type: "x" } },
      ["part", "type"],
      "union_tag_invalid",
      "Input should be 'text' or 'image'",
    ],
    [{ part: { type: "text" } }, ["part", "text"], "missing", "Field required"],
  ])("says of %j what pydantic says", (change, loc, type, msg) => {
    expect(changed(change)).toEqual([{ loc: ["body", ...loc], msg, type }]);
  });

  test("says it of a body that is no object at all", () => {
    const type = "model_attributes_type";

    for (const given of [null, [], "x", 1]) {
      expect(complaints(given)).toEqual([{ loc: ["body"], msg: expect.any(String), type }]);
    }
  });

  test("names no more than 20 mistakes, be there thousands", () => {
    const map = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, "x"]));

    expect(changed({ map })).toHaveLength(20);
  });

  test("calls missing what is missing, whatever words the schema has for it", () => {
    const own = z.object({ a: z.union([z.string(), z.array(z.string())], { error: "a text" }) });
    const parsed = own.safeParse({}, pydanticWords);

    expect(parsed.success ? [] : problemsOf(parsed.error, ["body"])).toEqual([
      { loc: ["body", "a"], msg: "Field required", type: "missing" },
    ]);
  });

  test("gives words of a schema's own the type value_error", () => {
    const own = z.string().refine(() => false, { error: "nothing will do" });
    const parsed = own.safeParse("x", pydanticWords);

    expect(parsed.success ? [] : problemsOf(parsed.error, ["path", "id"])).toEqual([
      { loc: ["path", "id"], msg: "nothing will do", type: "value_error" },
    ]);
  });
});
