import type { z } from "zod";
import type { ForemanError } from "../../errors.ts";
import { invalidRequest } from "../../runtime/invalid-request.ts";
import { JsonBounds } from "../../wire/json-bounds.ts";
import { type Problem, problemsOf, pydanticWords } from "../../wire/problem.ts";
import { runtimeLimits } from "../../wire/runtime-limits.ts";
import type { Call } from "../call.ts";
import { gather } from "../gather.ts";

/**
 * Parses what a client sent, and complains as FastAPI would.
 *
 * @throws ForemanError `invalid_request` with its problems, of which `loc` is the place
 */
export function parseRequest<Schema extends z.ZodType>(
  schema: Schema,
  given: unknown,
  loc: Problem["loc"],
): z.output<Schema> {
  const parsed = schema.safeParse(given, pydanticWords);
  if (parsed.success) return parsed.data;
  throw invalidRequest(problemsOf(parsed.error, loc));
}

/** Parses the query of a request. Throws as `parseRequest`. */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, call: Call): z.output<Schema> {
  const { searchParams } = new URL(call.url, "http://foreman");
  return parseRequest(schema, Object.fromEntries(searchParams), ["query"]);
}

/**
 * Reads and parses a JSON body of at most `runtimeLimits.requestBytes`; an empty one is undefined to
 * the schema.
 *
 * @throws ForemanError `invalid_request` as `parseRequest`, or if it is no JSON; else as `gather`
 */
export async function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  call: Call,
  bodyBytesMax: number,
): Promise<z.output<Schema>> {
  const { requestBytes } = runtimeLimits;
  const bounds = new JsonBounds();
  const body = await gather(call, {
    bytesMax: Math.min(bodyBytesMax, requestBytes),
    limit: bodyBytesMax < requestBytes ? "FOREMAN_BODY_MAX" : "one request may be",
    onPiece: (piece) => {
      bounds.write(piece);
      if (bounds.problem !== null) throw malformed("value_error", bounds.problem);
    },
  });
  return parseRequest(schema, body.length === 0 ? undefined : jsonOf(body), ["body"]);
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    const [, position] = /at position (\d+)/.exec(words) ?? [];
    const at = position === undefined ? [] : [Number(position)];
    throw malformed("json_invalid", `JSON decode error: ${words}`, at);
  }
}

function malformed(type: string, msg: string, at: readonly number[] = []): ForemanError {
  return invalidRequest([{ loc: ["body", ...at], msg, type }]);
}
