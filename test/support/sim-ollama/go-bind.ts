import { readKeepAlive } from "./go-duration.ts";
import { goQuote } from "./go-text.ts";

/** A Go type, so far as its decoding can fail or its name is shown in an error. */
export type GoType =
  | { readonly kind: "string" | "bool" | "int" | "any" | "duration" | "think" }
  | { readonly kind: "float64"; readonly name?: string }
  | { readonly kind: "base64" }
  | { readonly kind: "map" }
  | { readonly kind: "slice"; readonly name: string; readonly item: GoType }
  | {
      readonly kind: "struct";
      readonly name: string;
      readonly fields: GoFields;
      /** It decodes itself: errors inside it name the struct around it. */
      readonly isCustom?: boolean;
    };

export type GoFields = Readonly<Record<string, GoType>>;

/** A request as Go's struct would hold it: known fields only, absent and null ones left out. */
export type Bound = {
  readonly fields: Readonly<Record<string, unknown>>;
  /** The first error in Go's words, or null: Go reads on after a type error. */
  readonly error: string | null;
};

type Sink = { error: string | null };

/** Where in the request: Go names the innermost struct and the path from the outermost. */
type At = { readonly struct: string; readonly path: string };

/**
 * Binds a decoded value to a struct as encoding/json does: keys match case-insensitively and a
 * wrong type gives Go's text. `structName` is as Go prints it, such as `api.ChatRequest`.
 */
export function bindGo(value: unknown, structName: string, fields: GoFields): Bound {
  const sink: Sink = { error: null };
  if (value === null) return { fields: {}, error: null };
  if (!isObject(value)) {
    const kind = jsonKind(value);
    const error = `json: cannot unmarshal ${kind} into Go value of type ${structName}`;
    return { fields: {}, error };
  }
  const at = { struct: shortName(structName), path: "" };
  return { fields: bindFields(value, fields, at, sink), error: sink.error };
}

function bindFields(
  value: Readonly<Record<string, unknown>>,
  fields: GoFields,
  at: At,
  sink: Sink,
): Record<string, unknown> {
  const bound: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    // The long s folds to s in Go, as K for Kelvin does to k in both languages.
    const name = key in fields ? key : key.toLowerCase().replaceAll("ſ", "s");
    const type = fields[name];
    const item = value[key];
    if (type === undefined || item === null) continue;
    const read = bindValue(item, type, { ...at, path: `${at.path}.${name}` }, sink);
    if (read !== undefined) bound[name] = read;
  }
  return bound;
}

/** Undefined when the value does not fit; the first misfit is left in the sink. */
function bindValue(value: unknown, type: GoType, at: At, sink: Sink): unknown {
  switch (type.kind) {
    case "any":
      return value;
    case "string":
      return typeof value === "string" ? value : misfit(value, "string", at, sink);
    case "bool":
      return typeof value === "boolean" ? value : misfit(value, "bool", at, sink);
    case "int":
      return Number.isInteger(value) ? value : misfit(value, "int", at, sink);
    case "float64":
      return typeof value === "number" ? value : misfit(value, type.name ?? "float64", at, sink);
    case "map":
      return isObject(value) ? value : misfit(value, "map[string]interface {}", at, sink);
    case "duration":
      return bindDuration(value, sink);
    case "think":
      return bindThink(value, sink);
    case "base64":
      return bindBase64(value, at, sink);
    case "slice":
      if (!Array.isArray(value)) return misfit(value, type.name, at, sink);
      return value.map((item) => bindValue(item, type.item, at, sink));
    case "struct":
      if (!isObject(value)) return misfit(value, type.name, at, sink);
      return bindFields(value, type.fields, inside(at, type), sink);
  }
}

function misfit(value: unknown, wanted: string, at: At, sink: Sink): undefined {
  const isBadInteger = wanted === "int" && typeof value === "number";
  const kind = isBadInteger ? `number ${value}` : jsonKind(value);
  const field = `Go struct field ${at.struct}${at.path} of type ${wanted}`;
  sink.error ??= `json: cannot unmarshal ${kind} into ${field}`;
  return undefined;
}

function bindDuration(value: unknown, sink: Sink): number | undefined {
  const read = readKeepAlive(value);
  if (read.kind === "ms") return read.ms;
  sink.error ??= read.message;
  return undefined;
}

function bindThink(value: unknown, sink: Sink): unknown {
  const allowed = '"high", "medium", "low", "max", true, or false';
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") {
    sink.error ??= `think must be a boolean or string (${allowed})`;
    return undefined;
  }
  if (["high", "medium", "low", "max"].includes(value)) return value;
  sink.error ??= `invalid think value: ${goQuote(value)} (must be ${allowed})`;
  return undefined;
}

function bindBase64(value: unknown, at: At, sink: Sink): unknown {
  if (typeof value !== "string") return misfit(value, "[]uint8", at, sink);
  const wrongAt = value.search(/[^A-Za-z0-9+/=\r\n]/);
  if (wrongAt < 0) return value;
  sink.error ??= `illegal base64 data at input byte ${wrongAt}`;
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

function inside(at: At, type: Extract<GoType, { kind: "struct" }>): At {
  return type.isCustom ? at : { ...at, struct: shortName(type.name) };
}

function shortName(structName: string): string {
  return structName.slice(structName.lastIndexOf(".") + 1);
}
