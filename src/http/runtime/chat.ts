import assert from "node:assert/strict";
import type { Clock } from "../../clock.ts";
import type { ChatAnswer as Asked, ChatFacts } from "../../runtime/answer-chat.ts";
import { failureCodes } from "../../runtime/failure-codes.ts";
import { formatProblems } from "../../runtime/format-problems.ts";
import { type CheckedOutcome, generateChecked } from "../../runtime/generate-checked.ts";
import type { GenerationRequest } from "../../runtime/generation.ts";
import { invalidRequest } from "../../runtime/invalid-request.ts";
import type { OutputCheck } from "../../runtime/output/output-check.ts";
import { readGeneration } from "../../runtime/read-generation.ts";
import { chatRequest } from "../../wire/runtime.ts";
import type { ChatAnswer } from "../../wire/runtime-answers.ts";
import { runtimeLimits } from "../../wire/runtime-limits.ts";
import { type Call, tell, watchClient } from "../call.ts";
import { answerFailure } from "./answer-failure.ts";
import { readJson } from "./read-json.ts";

export type ChatDeps = {
  readonly clock: Clock;
  readonly bodyBytesMax: number;
  readonly repairsMax: number;
  readonly outputCheck: OutputCheck;
  /** Called for each chat that was answered, or failed through no fault of the request. */
  readonly onChatEnded: (state: "answered" | "failed") => void;
  /** Asks the providers, one after another: see `answerChat`. */
  readonly ask: (request: GenerationRequest, facts: ChatFacts) => Promise<Asked>;
};

/** `POST /api/runtime/llm/chat`: one answer, of the shape that was asked for. */
export async function chat(call: Call, deps: ChatDeps): Promise<void> {
  const { clock, outputCheck, repairsMax, ask } = deps;
  const startedAtMs = clock.monotonicMs();
  const parsed = await readJson(call, chatRequest, bodyBound(deps.bodyBytesMax));
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
  const asked: Asked[] = [];
  const checked = await generateChecked(readGeneration(parsed), {
    outputCheck,
    repairsMax,
    generate: async (request) => {
      const last = await ask(request, facts);
      asked.push(last);
      return last.outcome;
    },
  });
  stopWatching();
  if (!gone.signal.aborted) count(checked, deps);
  tellChecked(call, checked, asked.at(-1), clock.monotonicMs() - startedAtMs);
}

/** Of the 4xx, 429 alone says more of a provider than of the request. */
function count({ outcome }: CheckedOutcome, { onChatEnded }: ChatDeps): void {
  if (outcome.kind === "answered") {
    onChatEnded("answered");
    return;
  }
  const { statusCode } = failureCodes[outcome.code];
  if (statusCode === 429 || statusCode >= 500) onChatEnded("failed");
}

function bodyBound(bodyBytesMax: number) {
  const { requestBytes } = runtimeLimits;
  if (bodyBytesMax < requestBytes) return { bytesMax: bodyBytesMax };
  return { bytesMax: requestBytes, limit: "one chat may be" };
}

function tellChecked(
  call: Call,
  { outcome, repairs }: CheckedOutcome,
  asked: Asked | undefined,
  latencyMs: number,
): void {
  if (outcome.kind === "failed") {
    answerFailure(call, outcome);
    return;
  }
  const { provider } = asked ?? {};
  assert(asked && provider, "an answer comes from a provider");
  const { content, finishReason, model, usage, wait } = outcome;
  const { completion_tokens, prompt_tokens } = usage;
  const isCounted = completion_tokens !== null && prompt_tokens !== null;
  const document: ChatAnswer = {
    provider,
    model,
    content,
    ...("json" in outcome && { json: outcome.json }),
    usage: { ...usage, total_tokens: isCounted ? prompt_tokens + completion_tokens : null },
    finish_reason: finishReason,
    rule: asked.rule,
    skipped: [...asked.skipped],
    repairs,
    latency_ms: Math.round(latencyMs),
    queued_ms: wait === undefined ? null : Math.round(wait.queuedMs),
    job_id: wait?.jobId ?? null,
  };
  tell(call, 200, document);
}
