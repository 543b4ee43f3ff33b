/**
 * What the checker calls valid is valid by a second validator that shares nothing with it
 * (@cfworker/json-schema interprets, ajv compiles), for schemas and answers made by chance.
 */
import { Validator } from "@cfworker/json-schema";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SchemaCheck } from "../../../src/runtime/output/schema-check.ts";
import { someAnswer, someSchema } from "./some-schema.ts";

const check = new SchemaCheck();
const refusal = (schema: object) => check.refusal(JSON.stringify(schema));
const complaint = (schema: object, answer: unknown) =>
  check.complaint(JSON.stringify(schema), JSON.stringify(answer));

describe("SchemaCheck", () => {
  test("calls valid what a second validator calls valid, and nothing else", () => {
    const counts = { valid: 0, invalid: 0 };

    fc.assert(
      fc.property(someSchema, someAnswer, (schema, answer) => {
        const second = new Validator(schema, "2020-12", true);
        const isValid = complaint(schema, answer) === null;

        counts[isValid ? "valid" : "invalid"] += 1;
        expect(isValid).toBe(second.validate(answer).valid);
      }),
      { numRuns: 600 },
    );
    expect(Math.min(counts.valid, counts.invalid)).toBeGreaterThan(50);
  });

  test("says where, and what is wrong there, in the words of what is wanted", () => {
    const page = {
      type: "object",
      properties: {
        blocks: {
          type: "array",
          items: {
            type: "object",
            properties: { kind: { enum: ["table", "chart"] }, rows: { type: "integer" } },
            required: ["kind"],
            additionalProperties: false,
          },
        },
      },
      required: ["blocks", "title"],
    };

    expect(refusal(page)).toBeNull();
    expect(complaint(page, { title: "", blocks: [{ kind: "chart" }] })).toBeNull();
    expect(complaint(page, { blocks: [{ kind: "pie", rows: "3", x: 1 }] })).toBe(
      "the top must have required property 'title'; " +
        '/blocks/0 must NOT have additional properties: "x"; ' +
        '/blocks/0/kind must be equal to one of the allowed values: ["table","chart"]; ' +
        "/blocks/0/rows must be integer",
    );
  });

  test("is not led astray by patternProperties beside a choice", () => {
    const deal = {
      patternProperties: { "^b": { type: "string" } },
      anyOf: [{ properties: { a: {} }, additionalProperties: false }, { type: "null" }],
    };

    const choice = { ...deal, anyOf: undefined, oneOf: [deal, { type: "null" }] };

    expect(complaint(deal, { b: 0 })).toMatch(/^(the top|\/b) must/);
    expect(complaint(deal, {})).toBeNull();
    expect(complaint(choice, { b: "" })).toMatch(/^the top must/);
    expect(complaint({ ...deal, unevaluatedProperties: false }, {})).toBeNull();
  });

  test("stays short, be there a thousand faults with long names", () => {
    const answer = Array.from({ length: 1_000 }, (_, i) => `x${i}`.repeat(500));
    const words = complaint({ items: { type: "integer" } }, answer) ?? "";

    expect(words).toContain("/0 must be integer");
    expect(words).toContain("and 995 more");
    expect(complaint({ properties: { a: { const: "b".repeat(9_000) } } }, { a: 1 })).toHaveLength(
      1_001,
    );
  });

  test("checks formats, as pydantic and zod write them", () => {
    const schemaOf = (format: string) => ({ type: "string", format });

    expect(complaint(schemaOf("date-time"), "2026-11-24T12:00:00Z")).toBeNull();
    expect(complaint(schemaOf("date-time"), "yesterday")).toContain('match format "date-time"');
    expect(complaint(schemaOf("uuid"), "no")).toContain("uuid");
    expect(complaint(schemaOf("of-another-tool"), "any")).toBeNull();
  });

  test("reads draft-07 where the schema says so, and 2020-12 elsewhere", () => {
    const tuple = { items: [{ type: "string" }, { type: "number" }] };
    const draft07 = { ...tuple, $schema: "http://json-schema.org/draft-07/schema#" };
    const newest = { $schema: "https://json-schema.org/draft/2020-12/schema" };

    expect(refusal(draft07)).toBeNull();
    expect(complaint(draft07, ["a", "b"])).toBe("/1 must be number");
    expect(refusal(tuple)).toContain("/items must be object,boolean");
    expect(complaint({ ...newest, prefixItems: tuple.items }, ["a", "b"])).toBe(
      "/1 must be number",
    );
    expect(refusal({ $schema: "http://json-schema.org/draft-04/schema#" })).toContain("draft-04");
  });

  test.each([
    ["that is none", { type: "objekt" }, "/type must be equal to one of the allowed values"],
    ["that points elsewhere", { $ref: "https://example.com/s" }, "can't resolve reference"],
    ["that points at nothing", { $ref: "#/$defs/a" }, "can't resolve reference"],
    ["whose pattern is none", { pattern: "(" }, "Unterminated group"],
    ["that is its own alternative", { anyOf: [{ $ref: "#" }] }, "refers to itself"],
  ])("refuses a schema %s", (_, given, words) => {
    expect(refusal(given)).toContain(words);
  });

  test("does not let one client's $id answer another's $ref", () => {
    const $id = "https://velocity.example/deal";

    expect(refusal({ $id, $defs: { a: { $id: `${$id}/a`, type: "string" } } })).toBeNull();
    expect(refusal({ $ref: $id })).toContain("can't resolve reference");
    expect(refusal({ $ref: `${$id}/a` })).toContain("can't resolve reference");
    expect(refusal({ $id, type: "number" })).toBeNull();
  });

  test("does not take what every object inherits for a member", () => {
    expect(complaint({ required: ["constructor"] }, {})).toContain("constructor");
    expect(complaint({ required: ["toString"] }, { toString: 1 })).toBeNull();
    for (const required of [[""], ["a", ""]]) {
      expect(complaint({ required }, { a: 1 })).toContain("must have required property ''");
      expect(complaint({ required }, { a: 1, "": 2 })).toBeNull();
      expect(complaint({ items: { anyOf: [{ required }] } }, [{ a: 1 }])).toContain("required");
      expect(complaint({ dependentRequired: { a: required } }, { a: 1 })).toContain("must have");
    }
  });

  test("takes the pattern that pydantic writes for a Decimal, which RE2 does not know", () => {
    const decimal = { pattern: "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$" };

    expect(complaint(decimal, "-012.50")).toBeNull();
    expect(complaint(decimal, "+.")).toContain("must match pattern");
  });

  test("understands patterns as JavaScript does", () => {
    const pattern = fc.constantFrom(
      ...["^a+$", "a.c", "^[^x]$", "\\bword\\b", "^(?:a|bc){2}$", "(?<y>\\d{4})-\\d\\d"],
      ...["^\\p{L}+$", "^\\u00e4$", "[\\w-]+", "^\\S*$", "^$", "a|^b|c$", "^x{2,3}?$", "\\/\\."],
    );
    const letters = fc.constantFrom(..."abcxä0129-/. \n", "word", "🙂");
    const text = fc.array(letters, { maxLength: 6 }).map((parts) => parts.join(""));

    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        const isValid = complaint({ pattern: source }, subject) === null;
        expect(isValid).toBe(new RegExp(source, "u").test(subject));
      }),
      { numRuns: 500 },
    );
  });

  test("I2 matches in a time that grows with the text alone, whatever the pattern", () => {
    const subject = `${"a".repeat(20_000)}!`;

    for (const pattern of ["^(a+)+$", "^(a|a)*$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$"]) {
      expect(complaint({ pattern }, subject)).toContain("must match pattern");
    }
  });
});
