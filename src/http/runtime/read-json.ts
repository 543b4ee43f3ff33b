import type { z } from "zod";
import { ForemanError } from "../../errors.ts";
import type { Call } from "../call.ts";
import { gather } from "../gather.ts";

/** What an operator sends is a line or two. */
const bytesMax = 64 * 2 ** 10;

/**
 * Reads a small body of JSON.
 *
 * @throws ForemanError `invalid_request`, saying where it does not fit; else as `gather`
 */
export async function readJson<Schema extends z.ZodType>(
  call: Call,
  schema: Schema,
): Promise<z.output<Schema>> {
  const body = await gather(call, { bytesMax, limit: "this route takes" });
  const parsed = schema.safeParse(jsonOf(body.toString("utf8")));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ message, path }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`,
  );
  throw new ForemanError("invalid_request", problems.join("; "));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ForemanError("invalid_request", "the body is not JSON", { cause });
  }
}
