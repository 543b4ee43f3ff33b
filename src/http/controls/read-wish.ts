import type { z } from "zod";
import { ForemanError } from "../../errors.ts";
import type { Call } from "../call.ts";
import { gather } from "../gather.ts";

/** An operator's wish is a line or two. */
const bodyBytesMax = 16 * 2 ** 10;

/**
 * Reads what an operator wishes; no body at all is `{}`.
 *
 * @throws ForemanError `bad_request`, which names what is wrong with it; else as `gather`
 */
export async function readWish<Schema extends z.ZodType>(
  call: Call,
  schema: Schema,
): Promise<z.output<Schema>> {
  const body = await gather(call, { bytesMax: bodyBytesMax, limit: "this route takes" });
  const parsed = schema.safeParse(body.length === 0 ? {} : jsonOf(body));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue?.path.join(".") ?? "";
  const what = at === "" ? "a JSON object is wanted" : at;
  throw new ForemanError("bad_request", `${what}: ${issue?.message}`);
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return null;
  }
}
