import fc from "fast-check";

const name = fc.constantFrom("a", "b", "c", "");

const leaf = fc.oneof(
  fc.constantFrom(null, true, false, 1.5, 1e15, "", "a", "ab", "12", "ä🙂", "2026-11-24"),
  fc.integer({ min: -3, max: 3 }),
);

/** An answer by chance, of few names and values, so that schemas by chance often fit it. */
export const someAnswer: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  answer: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie("answer"), { maxLength: 4 }),
    fc.dictionary(name, tie("answer"), { maxKeys: 4 }),
  ),
})).answer;

const few = fc.integer({ min: 0, max: 3 });
const types = ["null", "boolean", "object", "array", "number", "integer", "string"];

const keywordsOf = (inner: fc.Arbitrary<unknown>) => {
  const some = fc.array(inner, { minLength: 1, maxLength: 3 });
  return {
    type: fc.constantFrom(...types),
    enum: fc.array(someAnswer, { minLength: 1, maxLength: 3 }),
    const: someAnswer,
    minimum: few,
    exclusiveMaximum: few,
    multipleOf: fc.constantFrom(1, 2, 0.5),
    minLength: few,
    maxLength: few,
    pattern: fc.constantFrom("^a", "b$", "^[0-9]+$", "^.{2}$", "^(a|b)*$", "\\d", "^\\w+$"),
    items: inner,
    prefixItems: some,
    minItems: few,
    maxItems: few,
    uniqueItems: fc.boolean(),
    properties: fc.dictionary(name, inner, { maxKeys: 3 }),
    patternProperties: fc.dictionary(fc.constantFrom("^a", "b"), inner, { maxKeys: 2 }),
    additionalProperties: inner,
    propertyNames: inner,
    required: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 2 }),
    minProperties: few,
    allOf: some,
    anyOf: some,
    oneOf: some,
    not: inner,
    if: inner,
    else: inner,
  };
};

/** A schema by chance, of one to three keywords at each level. */
export const someSchema: fc.Arbitrary<object> = fc
  .letrec<{ schema: unknown }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3 },
      fc.boolean(),
      fc
        .uniqueArray(fc.constantFrom(...Object.keys(keywordsOf(fc.boolean()))), {
          minLength: 1,
          maxLength: 3,
        })
        .chain((names) => {
          const all: Readonly<Record<string, fc.Arbitrary<unknown>>> = keywordsOf(tie("schema"));
          return fc.record(Object.fromEntries(names.map((key) => [key, all[key] ?? few])));
        }),
    ),
  }))
  .schema.filter((schema) => typeof schema === "object" && schema !== null) as fc.Arbitrary<object>;
