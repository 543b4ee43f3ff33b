import assert from "node:assert/strict";
import type { Clock } from "../../clock.ts";
import { formatProblems } from "../../runtime/format-problems.ts";
import { type CheckedOutcome, generateChecked } from "../../runtime/generate-checked.ts";
import type { GenerationOutcome, GenerationRequest } from "../../runtime/generation.ts";
import { invalidRequest } from "../../runtime/invalid-request.ts";
import type { OutputCheck } from "../../runtime/output/output-check.ts";
import type { ProviderId } from "../../runtime/providers/provider.ts";
import { readGeneration } from "../../runtime/read-generation.ts";
import { chatRequest } from "../../wire/runtime.ts";
import type { ChatAnswer } from "../../wire/runtime-answers.ts";
import { type Call, tell, watchClient } from "../call.ts";
import { answerFailure } from "./answer-failure.ts";
import { parseBody } from "./parse-request.ts";

/** Who asks for what, beside the request itself. */
export type ChatFacts = {
  /** Null: foreman chooses. */
  readonly provider: ProviderId | null;
  readonly model: string | null;
  readonly jobType: string | null;
  readonly client: string;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
};

/** What the providers made of a request. */
export type Served = {
  readonly outcome: GenerationOutcome;
  /** Who gave the outcome; null when nobody could be asked. */
  readonly provider: ProviderId | null;
  /** Which branch of the routing rule gave the order. */
  readonly rule: string;
  /** Who would have come before, and why it was not they. */
  readonly skipped: readonly {
    readonly provider: ProviderId;
    readonly code: string;
    readonly reason: string;
  }[];
};

export type ChatDeps = {
  readonly clock: Clock;
  readonly bodyBytesMax: number;
  readonly repairsMax: number;
  readonly outputCheck: OutputCheck;
  /** Asks the providers, one after another. */
  readonly serve: (request: GenerationRequest, facts: ChatFacts) => Promise<Served>;
};

/** `POST /api/runtime/llm/chat`: one answer, of the shape that was asked for. */
export async function answerChat(call: Call, deps: ChatDeps): Promise<void> {
  const { clock, outputCheck, repairsMax, serve } = deps;
  const startedAtMs = clock.monotonicMs();
  const parsed = await parseBody(chatRequest, call, deps.bodyBytesMax);
  const problems = await formatProblems(parsed, ["body"], outputCheck);
  if (problems.length > 0) throw invalidRequest(problems);
  const gone = new AbortController();
  const stopWatching = watchClient(call, () => gone.abort());
  const facts = {
    provider: parsed.provider === "auto" ? null : (parsed.provider ?? null),
    model: parsed.model ?? null,
    jobType: parsed.job_type ?? null,
    client: call.client,
    signal: gone.signal,
  };
  const served: Served[] = [];
  const checked = await generateChecked(readGeneration(parsed), {
    outputCheck,
    repairsMax,
    generate: async (request) => {
      const last = await serve(request, facts);
      served.push(last);
      return last.outcome;
    },
  });
  stopWatching();
  tellChecked(call, checked, served.at(-1), clock.monotonicMs() - startedAtMs);
}

function tellChecked(
  call: Call,
  { outcome, repairs }: CheckedOutcome,
  served: Served | undefined,
  latencyMs: number,
): void {
  if (outcome.kind === "failed") {
    answerFailure(call, outcome);
    return;
  }
  const { provider } = served ?? {};
  assert(served && provider, "an answer comes from a provider");
  const { content, finishReason, model, usage } = outcome;
  const { completion_tokens, prompt_tokens } = usage;
  const isCounted = completion_tokens !== null && prompt_tokens !== null;
  const document: ChatAnswer = {
    provider,
    model,
    content,
    ...("json" in outcome && { json: outcome.json }),
    usage: { ...usage, total_tokens: isCounted ? prompt_tokens + completion_tokens : null },
    finish_reason: finishReason,
    rule: served.rule,
    skipped: [...served.skipped],
    repairs,
    latency_ms: Math.round(latencyMs),
    queued_ms: null,
    job_id: null,
  };
  tell(call, 200, document);
}
