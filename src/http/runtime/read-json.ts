import type { z } from "zod";
import { ForemanError } from "../../errors.ts";
import { invalidRequest } from "../../runtime/invalid-request.ts";
import { problemsOf, pydanticWords } from "../../wire/problem.ts";
import type { Call } from "../call.ts";
import { gather } from "../gather.ts";

/** What an operator sends is a line or two. */
const bytesMax = 64 * 2 ** 10;

/**
 * Reads a small body of JSON.
 *
 * @throws ForemanError `invalid_request`, naming each problem; else as `gather`
 */
export async function readJson<Schema extends z.ZodType>(
  call: Call,
  schema: Schema,
): Promise<z.output<Schema>> {
  const body = await gather(call, { bytesMax, limit: "this route takes" });
  const parsed = schema.safeParse(jsonOf(body.toString("utf8")), pydanticWords);
  if (parsed.success) return parsed.data;
  throw invalidRequest(problemsOf(parsed.error, ["body"]));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ForemanError("invalid_request", "the body is not JSON", { cause });
  }
}
