import type { Clock } from "../../clock.ts";
import { ForemanError } from "../../errors.ts";
import { findModel } from "../../target/find-model.ts";
import type { Inventory } from "../../target/inventory.ts";
import type { Poller } from "../../target/poller.ts";
import type { Problem } from "../../wire/problem.ts";
import { invalidRequest } from "../invalid-request.ts";
import type { OutputCheck } from "../output/output-check.ts";
import type { Providers } from "../providers/provider.ts";
import { readResponseFormat } from "../read-response-format.ts";
import type { BatchSummary } from "./read-batch.ts";

type JudgeDeps = {
  readonly providers: Providers;
  readonly outputCheck: Pick<OutputCheck, "refusalOf">;
  readonly inventory: Inventory;
  readonly poller: Poller;
  readonly clock: Clock;
};

/**
 * What is wrong with a batch that was read, so that its submitter hears of it and not, hours later,
 * whoever reads its results. A target that is away cannot say what it has, and is believed.
 *
 * @throws ForemanError `model_not_found`; `invalid_request` for a provider that is not set up
 */
export async function judgeBatch(
  { formats, head }: BatchSummary,
  deps: JudgeDeps,
): Promise<readonly Problem[]> {
  await judgeModel(head, deps);
  const problems: Problem[] = [];
  for (const { index, responseFormat } of formats) {
    const { format, path } = readResponseFormat(responseFormat);
    if (format.kind !== "schema") continue;
    const refusal = await deps.outputCheck.refusalOf(format.schema);
    if (refusal === null) continue;
    const loc = ["body", "items", index, "response_format", ...path];
    const msg = `answers cannot be checked by this schema: ${refusal}`;
    problems.push({ loc, msg, type: "value_error" });
  }
  return problems;
}

async function judgeModel(head: BatchSummary["head"], deps: JudgeDeps): Promise<void> {
  const { providers } = deps;
  const { model = null, provider = null } = head;
  if (provider === "nemoclaw" && !providers.nemoclaw.isConfigured) {
    const problem = `the provider nemoclaw is not set up: ${providers.nemoclaw.problem}`;
    throw invalidRequest([{ loc: ["body", "provider"], msg: problem, type: "value_error" }]);
  }
  if (provider === "nemoclaw" || provider === "deterministic_fallback" || model === null) return;
  const isElsewhere = provider !== "ollama" && providers.nemoclaw.hasModel(model);
  if (isElsewhere || (await findModel(model, deps)) !== "unknown") return;
  const who = provider === "ollama" ? "Ollama does not have it" : "no provider has it";
  throw new ForemanError("model_not_found", `model '${model}' not found: ${who}`);
}
