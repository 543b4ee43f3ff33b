import type { z } from "zod";
import { invalidRequest } from "../../runtime/invalid-request.ts";
import { problemsOf, pydanticWords } from "../../wire/problem.ts";
import { type Call, queryOf } from "../call.ts";

/** The query of a call. @throws ForemanError `invalid_request`, naming what is wrong where */
export function readQuery<Schema extends z.ZodType>(
  call: Pick<Call, "url">,
  schema: Schema,
): z.output<Schema> {
  const parsed = schema.safeParse(queryOf(call), pydanticWords);
  if (parsed.success) return parsed.data;
  throw invalidRequest(problemsOf(parsed.error, ["query"]));
}
