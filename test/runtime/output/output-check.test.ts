/**
 * Schemas, patterns and answers that would keep a validator for hours, in the thread itself. The
 * clock is turned by hand, so that no test waits for a deadline.
 */
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { createLog } from "../../../src/log.ts";
import { OutputCheck } from "../../../src/runtime/output/output-check.ts";
import { runtimeLimits } from "../../../src/wire/runtime-limits.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const startCheck = () => {
  const clock = new ManualClock();
  const check = new OutputCheck({ clock, log: createLog("silent") });
  onTestFinished(() => check.stop());
  return { clock, check };
};

/** Turns the clock until the promise has settled; the thread takes its own time to start. */
const pastDeadlines = async <Value>(clock: ManualClock, promise: Promise<Value>) => {
  const state = { isSettled: false };
  void promise.finally(() => {
    state.isSettled = true;
  });
  while (!state.isSettled) await clock.advance(5_000);
  return promise;
};

const schemaOf = (schema: object) => ({ kind: "schema", schema }) as const;

/** Each level asks the one below twice: 2^40 steps in 3 kB. */
const doubling = {
  $ref: "#/$defs/a0",
  $defs: Object.fromEntries(
    Array.from({ length: 41 }, (_, i) => {
      const next = { $ref: `#/$defs/a${i + 1}` };
      return [`a${i}`, i === 40 ? { minLength: 0 } : { allOf: [next, next] }];
    }),
  ),
};

describe("OutputCheck", () => {
  test("checks JSON without a schema, and with one", async () => {
    const { check } = startCheck();
    const schema = { type: "object", required: ["a"], properties: { a: { type: "integer" } } };

    expect(await check.refusalOf(schema)).toBeNull();
    expect(await check.check('{"a":"1"}', { kind: "json" })).toEqual({
      kind: "valid",
      json: { a: "1" },
    });
    expect(await check.check('```json\n{"a":1}\n```', schemaOf(schema))).toEqual({
      kind: "valid",
      json: { a: 1 },
    });
    expect(await check.check('{"a":"1"}', schemaOf(schema))).toEqual({
      kind: "invalid",
      message: "the answer does not fit the schema: /a must be integer",
    });
    expect(await check.check("a", schemaOf(schema))).toMatchObject({ kind: "invalid" });
  });

  test("I2 refuses a schema that takes for ever, and goes on with the next", async () => {
    const { check, clock } = startCheck();
    const endless = check.refusalOf(doubling);
    const next = check.refusalOf({ type: "string" });

    expect(await pastDeadlines(clock, endless)).toBe("it takes longer than 5 s");
    expect(await next).toBeNull();
    expect(await check.refusalOf(doubling)).toBe("it takes longer than 5 s");
  });

  test.each([
    [
      "a pattern that backtracks, beyond what RE2 knows",
      { pattern: "^(?=a)(a+)+$" },
      JSON.stringify(`${"a".repeat(40)}!`),
    ],
    [
      "24,000 objects that are to be unique",
      { uniqueItems: true },
      JSON.stringify(Array.from({ length: 24_000 }, (_, i) => ({ i }))),
    ],
  ])("I2 gives up on %s, and goes on", async (_, schema, answer) => {
    const { check, clock } = startCheck();

    expect(await check.refusalOf(schema)).toBeNull();
    expect(await pastDeadlines(clock, check.check(answer, schemaOf(schema)))).toEqual({
      kind: "uncheckable",
      message: "the answer cannot be checked: it takes longer than 5 s",
    });
    expect(await check.check('"a"', schemaOf({ type: "string" }))).toMatchObject({
      kind: "valid",
    });
  });

  test("I2 gives up on what takes more memory than there is for it", async () => {
    const { check } = startCheck();
    const schema = { items: { allOf: Array(200).fill({ type: "string" }) } };
    const answer = JSON.stringify(Array(49_000).fill(1));

    expect(await check.refusalOf(schema)).toBeNull();
    expect(await check.check(answer, schemaOf(schema))).toMatchObject({
      kind: "uncheckable",
      message: expect.stringMatching(/it takes more than 256 MB/),
    });
    expect(await check.refusalOf({ pattern: "a" })).toBeNull();
  });

  test("I2 leaves the event loop alone meanwhile", async () => {
    const { check, clock } = startCheck();
    expect(await check.refusalOf({ type: "string" })).toBeNull();
    let turns = 0;
    const count = () => {
      turns += 1;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);

    const endless = check.refusalOf(doubling);
    const seen = turns;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(turns).toBeGreaterThan(seen + 10);
    clearImmediate(timer);
    await pastDeadlines(clock, endless);
  });

  test("names the largest schema, and the deepest", async () => {
    const { check } = startCheck();
    const { schemaBytes, schemaDepth } = runtimeLimits;
    const ofBytes = (bytes: number) => ({ title: "a".repeat(bytes - '{"title":""}'.length) });
    const ofDepth = (depth: number): object => (depth === 1 ? {} : { not: ofDepth(depth - 1) });

    expect(await check.refusalOf(ofBytes(schemaBytes))).toBeNull();
    expect(await check.refusalOf(ofBytes(schemaBytes + 1))).toContain(`at most ${schemaBytes}`);
    expect(await check.refusalOf(ofDepth(schemaDepth))).toBeNull();
    expect(await check.refusalOf(ofDepth(schemaDepth + 1))).toContain(
      `deeper than ${schemaDepth} levels`,
    );
  });

  test("I2 has a word for every schema and answer, and never throws", async () => {
    const { check } = startCheck();
    const key = fc.constantFrom(
      ...["type", "enum", "const", "$ref", "$id", "$defs", "items", "properties", "pattern"],
      ...["allOf", "not", "required", "__proto__", "constructor", "toString", "minLength", "a"],
    );
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, 0, -1, 1e300, "", "string", "#", "#/a", "(", "object"),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(key, tie("value"), { maxKeys: 4 }),
      ),
    })).value;

    await fc.assert(
      fc.asyncProperty(json, json, async (schema, answer) => {
        if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return;
        const refusal = await check.refusalOf(schema);
        expect(refusal === null || refusal.length > 0).toBe(true);
        if (refusal !== null) return;
        const verdict = await check.check(JSON.stringify(answer), schemaOf(schema));
        expect(["valid", "invalid", "uncheckable"]).toContain(verdict.kind);
      }),
      { numRuns: 150 },
    );
  });

  test("asks the thread once about a schema that comes again and again", async () => {
    const { check } = startCheck();
    expect(await check.refusalOf({ type: "string" })).toBeNull();
    await check.stop();

    expect(await check.refusalOf({ type: "string" })).toBeNull();
  });

  test("rejects what waits when foreman stops, since no answer is at fault", async () => {
    const { check } = startCheck();
    const waiting = check.refusalOf(doubling);
    const behind = check.check("1", schemaOf({ type: "number" }));
    const settled = Promise.allSettled([waiting, behind]);
    await check.stop();

    expect(await settled).toEqual([
      { status: "rejected", reason: expect.objectContaining({ code: "draining" }) },
      { status: "rejected", reason: expect.objectContaining({ code: "draining" }) },
    ]);
  });
});
