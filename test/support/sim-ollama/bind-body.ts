import { type Bound, bindGo } from "./go-bind.ts";
import type { Payload } from "./payload.ts";
import type { RequestStruct } from "./request-structs.ts";

/** A body as its struct, or what Go says of it; `EOF` for an empty one. */
export type BoundBody =
  | { readonly kind: "bound"; readonly fields: Bound["fields"] }
  | { readonly kind: "error"; readonly message: string };

/** gin's ShouldBindJSON. */
export function bindBody(payload: Payload, struct: RequestStruct): BoundBody {
  const { decoded } = payload;
  if (decoded.kind === "error") return decoded;
  const bound = bindGo(decoded.value, struct.name, struct.fields);
  if (bound.error !== null) return { kind: "error", message: bound.error };
  return { kind: "bound", fields: bound.fields };
}

/** As above, with the native API's word for an empty body. */
export function bindNativeBody(payload: Payload, struct: RequestStruct): BoundBody {
  const bound = bindBody(payload, struct);
  if (bound.kind === "error" && bound.message === "EOF") {
    return { kind: "error", message: "missing request body" };
  }
  return bound;
}

type Fields = Bound["fields"];

/** The field's string; empty when absent, which the binding has made sure of otherwise. */
export function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}

/** The field's number, or null. */
export function numberOf(fields: Fields, name: string): number | null {
  const value = fields[name];
  return typeof value === "number" ? value : null;
}

/** The field's boolean, or null. */
export function flagOf(fields: Fields, name: string): boolean | null {
  const value = fields[name];
  return typeof value === "boolean" ? value : null;
}

/** The field's list; empty when absent. */
export function listOf(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  return Array.isArray(value) ? value : [];
}

/** The field's object; empty when absent. */
export function objectOf(fields: Fields, name: string): Fields {
  const value = fields[name];
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}
