import { planAnswer, type ToolOffer } from "./answer-plan.ts";
import { Generation } from "./generation.ts";
import { readRunOptions } from "./load-options.ts";
import type { ModelSpec } from "./model-spec.ts";
import type { Presenter } from "./presenter.ts";
import type { Runner } from "./runner.ts";
import type { Call } from "./sim-core.ts";

/** A request for text, whatever API it came by, with its model found and its fields checked. */
export type AnswerRequest = {
  readonly model: ModelSpec;
  readonly promptText: string;
  readonly lastText: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Null: not said. */
  readonly keepAliveMs: number | null;
  readonly shift: boolean | null;
  readonly format: unknown;
  readonly tools: readonly ToolOffer[];
  readonly isThinking: boolean;
  readonly isStreaming: boolean;
  /** Load the model and say so; there is nothing to generate. */
  readonly isLoadOnly: boolean;
  /** The model runs elsewhere: no scheduling, no slot. */
  readonly isElsewhere: boolean;
};

/** Schedules, loads, generates and answers, in the order in which Ollama meets its errors. */
export async function answer(
  call: Call,
  presenter: Presenter,
  request: AnswerRequest,
): Promise<void> {
  const { sim, exchange } = call;
  const startedMs = performance.now();
  const { model, shift } = request;
  const run = readRunOptions(model, request.options, sim.settings.contextLength, shift);
  if (run.kind === "error") return presenter.error(exchange.reply, 500, run.message);
  let runner: Runner | null = null;
  if (!request.isElsewhere) {
    const { keepAliveMs } = request;
    const grant = await sim.scheduler.grant({ exchange, model, load: run.load, keepAliveMs });
    if (exchange.isGone) return;
    if (grant.kind === "error") return presenter.error(exchange.reply, grant.status, grant.message);
    runner = grant.runner;
  }
  if (request.isLoadOnly) return presenter.idle(exchange.reply, "load");
  const refusal = refuse(request, run.load.numCtx);
  if (refusal !== null) {
    exchange.reply.isFlushing = request.isStreaming;
    return presenter.error(exchange.reply, refusal.status, refusal.message);
  }
  const { promptText, lastText, tools, isThinking, isStreaming, format } = request;
  const { numPredict, stop, seed } = run;
  const asked = { model, promptText, lastText, numPredict, stop, seed, tools, isThinking };
  const plan = planAnswer({ ...asked, format: format === "" ? null : format });
  const generation = { sim, exchange, runner, presenter, plan, isStreaming, startedMs };
  await new Generation(generation).run();
}

/** What only the runner finds out: Ollama has loaded the model by then. */
function refuse(
  request: AnswerRequest,
  numCtx: number,
): { readonly status: number; readonly message: string } | null {
  const { format, shift, promptText } = request;
  const isKnown = format === null || format === "" || format === "json" || isSchema(format);
  if (!isKnown) {
    const quoted = JSON.stringify(JSON.stringify(format));
    const wanted = 'expected "json" or a valid JSON Schema object';
    return { status: 500, message: `invalid format: ${quoted}; ${wanted}` };
  }
  if (shift !== false || promptText.length / 4 <= numCtx) return null;
  return { status: 400, message: tooLong };
}

function isSchema(format: unknown): boolean {
  return typeof format === "object" && !Array.isArray(format);
}

const tooLong =
  "the prompt is longer than the context length currently available to the model; shorten the " +
  "prompt, adjust the context length in settings, or use a model with a longer context length";
