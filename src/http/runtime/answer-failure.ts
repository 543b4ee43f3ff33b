import { failureCodes } from "../../runtime/failure-codes.ts";
import type { GenerationFailure } from "../../runtime/generation.ts";
import { answer, type Call } from "../call.ts";
import { errorBody } from "../error-shapes.ts";

/** For what passes, and nobody said when. */
const retryAfterMsUsual = 5_000;

/** Answers that there is no answer, with the code's status, and Retry-After if it may pass. */
export function answerFailure(call: Call, failure: GenerationFailure): void {
  const { code, isPassing, message, retryAfterMs } = failure;
  const { statusCode } = failureCodes[code];
  const { body, contentType } = errorBody(call.shape, statusCode, message, { code });
  const headers = ["Content-Type", contentType];
  const waitMs = retryAfterMs ?? (isPassing ? retryAfterMsUsual : null);
  if (waitMs !== null) headers.push("Retry-After", String(Math.ceil(waitMs / 1_000)));
  answer(call, statusCode, headers, body);
}
