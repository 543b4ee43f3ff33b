import type { Problem } from "../wire/problem.ts";
import type { BatchItem, ChatRequest } from "../wire/runtime.ts";
import type { OutputCheck } from "./output/output-check.ts";
import { readGeneration } from "./read-generation.ts";
import { readResponseFormat } from "./read-response-format.ts";

/**
 * What is wrong with a request's `response_format`, so that its submitter hears of it and not,
 * hours later, whoever reads the result: a schema that no answer can be checked by, and a fallback
 * that would be refused. `loc`: where in the body the request stands.
 */
export async function formatProblems(
  parsed: ChatRequest | BatchItem,
  loc: Problem["loc"],
  outputCheck: OutputCheck,
): Promise<readonly Problem[]> {
  const { format, path } = readResponseFormat(parsed.response_format);
  if (format.kind === "text") return [];
  const refusal = format.kind === "schema" ? await outputCheck.refusalOf(format.schema) : null;
  if (refusal !== null) {
    const msg = `answers cannot be checked by this schema: ${refusal}`;
    return [{ loc: [...loc, "response_format", ...path], msg, type: "value_error" }];
  }
  const { fallback } = readGeneration(parsed);
  const verdict = fallback && (await outputCheck.check(fallback.content, format));
  if (verdict === null || verdict.kind === "valid") return [];
  return [{ loc: [...loc, "fallback"], msg: verdict.message, type: "value_error" }];
}
