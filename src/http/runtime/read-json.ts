import type { z } from "zod";
import type { ForemanError } from "../../errors.ts";
import { invalidRequest } from "../../runtime/invalid-request.ts";
import { JsonBounds } from "../../wire/json-bounds.ts";
import { type Problem, problemsOf, pydanticWords } from "../../wire/problem.ts";
import type { Call } from "../call.ts";
import { gather } from "../gather.ts";

/**
 * Parses what a client sent, and complains as FastAPI would.
 *
 * @throws ForemanError `invalid_request` with its problems, of which `loc` is the place
 */
function parseRequest<Schema extends z.ZodType>(
  schema: Schema,
  given: unknown,
  loc: Problem["loc"],
): z.output<Schema> {
  const parsed = schema.safeParse(given, pydanticWords);
  if (parsed.success) return parsed.data;
  throw invalidRequest(problemsOf(parsed.error, loc));
}

type BodyBound = {
  readonly bytesMax: number;
  /** What bounds it, in words; by default the setting that does. */
  readonly limit?: string;
};

/** What an operator sends is a line or two. */
const smallBody: BodyBound = { bytesMax: 64 * 2 ** 10, limit: "this route takes" };

/**
 * Reads and parses a body of JSON, a small one if nothing else is said; an empty one is undefined
 * to the schema.
 *
 * @throws ForemanError `invalid_request` as `parseRequest`, or if it is no JSON; else as `gather`
 */
export async function readJson<Schema extends z.ZodType>(
  call: Call,
  schema: Schema,
  bound = smallBody,
): Promise<z.output<Schema>> {
  const bounds = new JsonBounds();
  const onPiece = (piece: Buffer) => {
    bounds.write(piece);
    if (bounds.problem !== null) throw malformed("value_error", bounds.problem);
  };
  const body = await gather(call, { ...bound, onPiece });
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
