import type { SeededRandom } from "./seeded-random.ts";

type Schema = Readonly<Record<string, unknown>>;

const depthMax = 12;

/** A value that satisfies a JSON schema, so far as the sim understands it. Repeatable. */
export function jsonInstance(schema: unknown, random: SeededRandom): unknown {
  return instance(schema, schema, random, 0);
}

function instance(root: unknown, node: unknown, random: SeededRandom, depth: number): unknown {
  const schema = resolve(root, node);
  if (schema === null || depth > depthMax) return null;
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[random.next(schema.enum.length)];
  const options = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (Array.isArray(options)) return instance(root, options[0], random, depth + 1);
  switch (typeOf(schema)) {
    case "object":
      return object(root, schema, random, depth);
    case "array": {
      const count = Math.max(1, Number(schema.minItems ?? 1));
      return Array.from({ length: count }, () => instance(root, schema.items, random, depth + 1));
    }
    case "integer":
    case "number":
      return Number(schema.minimum ?? 0) + random.next(10);
    case "boolean":
      return random.next(2) === 1;
    case "null":
      return null;
    default:
      return text(schema, random);
  }
}

function object(
  root: unknown,
  schema: Schema,
  random: SeededRandom,
  depth: number,
): Record<string, unknown> {
  const properties = Object.entries(asSchema(schema.properties) ?? {});
  const made = properties.map(([name, each]) => [name, instance(root, each, random, depth + 1)]);
  return Object.fromEntries(made);
}

function text(schema: Schema, random: SeededRandom): string {
  const least = Number(schema.minLength ?? 0);
  const most = Number(schema.maxLength ?? Number.POSITIVE_INFINITY);
  return `${random.word()} ${random.word()}`.padEnd(least, "x").slice(0, most);
}

function typeOf(schema: Schema): unknown {
  if (Array.isArray(schema.type)) return schema.type[0];
  if (schema.type !== undefined) return schema.type;
  return schema.properties === undefined ? "string" : "object";
}

/** Follows references into the same document, such as `#/$defs/Item`. */
function resolve(root: unknown, node: unknown): Schema | null {
  let schema = asSchema(node);
  for (let hops = 0; schema !== null && typeof schema.$ref === "string"; hops += 1) {
    if (hops > depthMax) return null;
    const path = schema.$ref.replace(/^#\//, "").split("/");
    schema = asSchema(path.reduce<unknown>((at, part) => asSchema(at)?.[part], root));
  }
  return schema;
}

function asSchema(value: unknown): Schema | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Schema)
    : null;
}
