import type {
  GenerationFailure,
  GenerationOutcome,
  GenerationRequest,
  Usage,
} from "./generation.ts";
import type { OutputCheck } from "./output/output-check.ts";
import { type CheckedAnswer, nextStep } from "./repair.ts";

export type CheckedOutcome = {
  readonly outcome: CheckedAnswer | GenerationFailure;
  /** How often an answer was sent back to be mended. */
  readonly repairs: number;
};

type Deps = {
  /** Asks a provider once. */
  readonly generate: (request: GenerationRequest) => Promise<GenerationOutcome>;
  readonly outputCheck: Pick<OutputCheck, "check">;
  readonly repairsMax: number;
};

/**
 * Asks until the answer has the shape that the request wants, with at most `repairsMax` repairs.
 * The usage is that of all tries together: each of them occupied the provider. A provider that
 * fails ends it, be it at a repair: whoever routes has done what could be done.
 */
export async function generateChecked(
  request: GenerationRequest,
  { generate, outputCheck, repairsMax }: Deps,
): Promise<CheckedOutcome> {
  const { responseFormat: format } = request;
  let asked = request;
  let usage: Usage = { prompt_tokens: 0, completion_tokens: 0 };
  for (let repairs = 0; ; repairs += 1) {
    const outcome = await generate(asked);
    if (outcome.kind === "failed") return { outcome, repairs };
    usage = sum(usage, outcome.usage);
    const answer = { ...outcome, usage };
    const verdict = format.kind === "text" ? null : await outputCheck.check(answer.content, format);
    const step = nextStep({ request, answer, verdict, repairs, repairsMax });
    if (step.kind === "done") return { outcome: step.answer, repairs };
    if (step.kind === "failed") return { outcome: step.failure, repairs };
    asked = step.request;
  }
}

/** Null as soon as one of the tries was not counted. */
function sum(one: Usage, other: Usage): Usage {
  return {
    prompt_tokens: plus(one.prompt_tokens, other.prompt_tokens),
    completion_tokens: plus(one.completion_tokens, other.completion_tokens),
  };
}

function plus(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one + other;
}
