import {
  failure,
  type GenerationAnswer,
  type GenerationFailure,
  type GenerationRequest,
  type Message,
} from "./generation.ts";
import type { Verdict } from "./output/output-check.ts";

/**
 * Of a wrong answer, a model is shown no more than this: a long one would push the request itself
 * out of its context, and what is wrong is said beside it.
 */
const shownLengthMax = 16_000;

/** An answer that is right, or was not to be checked; `json` only where JSON was asked for. */
export type CheckedAnswer = GenerationAnswer & { readonly json?: unknown };

/** What is to be done after an answer was checked. */
export type Step =
  | { readonly kind: "done"; readonly answer: CheckedAnswer }
  /** The same provider and model are to be asked this instead. */
  | { readonly kind: "repair"; readonly request: GenerationRequest }
  | { readonly kind: "failed"; readonly failure: GenerationFailure };

/** Where a request stands when an answer to it was checked. */
export type Tried = {
  /** As it was asked the first time. */
  readonly request: GenerationRequest;
  readonly answer: GenerationAnswer;
  /** Null where nothing was to be checked. */
  readonly verdict: Verdict | null;
  /** How many repairs there were before this answer. */
  readonly repairs: number;
  readonly repairsMax: number;
};

/**
 * Decides what follows from an answer, without asking anybody.
 *
 * 1. Not to be checked, or valid: done. 2. No answer could be checked: failed, since another would
 * fare no better. 3. Invalid, and there are repairs left: the model is asked again. 4. Invalid
 * after the last one: failed with `invalid_output` and the validator's words.
 */
export function nextStep({ answer, repairs, repairsMax, request, verdict }: Tried): Step {
  // 1.
  if (verdict === null) return { kind: "done", answer };
  if (verdict.kind === "valid") return { kind: "done", answer: { ...answer, json: verdict.json } };
  // 2.
  if (verdict.kind === "uncheckable") return failed(verdict.message);
  const complaint = complaintOf(answer, verdict.message);
  // 3.
  if (repairs < repairsMax) return { kind: "repair", request: mend(request, answer, complaint) };
  // 4.
  const tries = repairs === 0 ? "" : `, after ${repairs} repair${repairs === 1 ? "" : "s"}`;
  return failed(`${complaint}${tries}`);
}

function failed(message: string): Step {
  return { kind: "failed", failure: failure("invalid_output", message) };
}

/** What is cut off at its end looks like bad JSON; what helps is another limit. */
function complaintOf({ finishReason }: GenerationAnswer, message: string): string {
  return finishReason === "length" ? `${message} (it was cut off at its length limit)` : message;
}

/**
 * The request with the wrong answer behind it, and what is wrong with it. Always made from the
 * first request, so that it does not grow with each repair, and so that whoever stores the first
 * request and the last answer can go on after a restart.
 */
function mend(
  request: GenerationRequest,
  answer: GenerationAnswer,
  complaint: string,
): GenerationRequest {
  const shown = answer.content.slice(0, shownLengthMax);
  const wrong: Message = { role: "assistant", content: shown };
  const plea: Message = {
    role: "user",
    content:
      `That was not accepted: ${complaint}. ` +
      "Answer again with the whole JSON, mended, and nothing else: no explanation, no code fence.",
  };
  // Some providers refuse an empty message.
  const dialogue = shown.trim() === "" ? [plea] : [wrong, plea];
  return { ...request, messages: [...request.messages, ...dialogue] };
}
