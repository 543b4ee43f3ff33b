import assert from "node:assert/strict";
import type { BatchItem } from "../wire/runtime.ts";
import type { ResponseFormat } from "./generation.ts";

/** OpenAI's wrapping of a schema; all else that is an object is a JSON Schema itself. */
type Wrapped = {
  readonly type?: unknown;
  readonly json_schema?: { readonly schema?: object } | undefined;
};

/** `path`: where in the request's `response_format` the schema stands, for complaints. */
export type ReadFormat = { readonly format: ResponseFormat; readonly path: readonly string[] };

/**
 * What shape a request asks for.
 * 1. Nothing, `"text"`, or OpenAI's `{"type":"text"}`: no shape. 2. `"json"` or OpenAI's
 * `json_object`: any JSON. 3. OpenAI's `json_schema`: the schema inside. 4. Any other object: a
 * JSON Schema.
 */
export function readResponseFormat(given: BatchItem["response_format"]): ReadFormat {
  // 1.
  if (given === undefined || given === null || given === "text") return bare("text");
  // 2.
  if (given === "json") return bare("json");
  const { json_schema: wrapping, type }: Wrapped = given;
  if (type === "text") return bare("text");
  if (type === "json_object") return bare("json");
  // 3.
  if (type === "json_schema") {
    assert(wrapping?.schema, "wire/runtime.ts lets no json_schema through without a schema");
    return { format: { kind: "schema", schema: wrapping.schema }, path: ["json_schema", "schema"] };
  }
  // 4.
  return { format: { kind: "schema", schema: given }, path: [] };
}

function bare(kind: "text" | "json"): ReadFormat {
  return { format: { kind }, path: [] };
}
