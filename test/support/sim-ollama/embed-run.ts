import { embedAsJson } from "./embedding.ts";
import { type FoundModel, findModel } from "./find-model.ts";
import { goQuote } from "./go-text.ts";
import { readRunOptions } from "./load-options.ts";
import { isCapable } from "./model-spec.ts";
import type { Runner } from "./runner.ts";
import type { Call } from "./sim-core.ts";

type Found = Extract<FoundModel, { kind: "model" }>;

export type EmbedFailure = {
  readonly kind: "error";
  readonly status: number;
  readonly message: string;
  readonly isFromCloud?: boolean;
};

export type Embedded = {
  readonly kind: "embedded";
  /** Each vector as JSON text. */
  readonly vectors: readonly string[];
  readonly tokens: number;
  readonly totalNs: number;
  readonly loadNs: number;
};

export type EmbedRequest = {
  readonly found: Found;
  readonly texts: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly keepAliveMs: number | null;
  readonly isTruncating: boolean;
  /** 0: as many as the model has. */
  readonly dimensions: number;
};

/** Finds the model of an embedding request; `required` answers a missing name. */
export function findForEmbed(
  call: Call,
  text: string,
  required: { readonly status: number; readonly message: string },
): FoundModel {
  const unknown = (name: string) => `model ${goQuote(name)} not found, try pulling it first`;
  return findModel(call, text, { required, unknown });
}

/**
 * Loads the model and embeds each text in a slot of its own, as Ollama does: all of them queue up
 * at once. Null when the client left. No text: only the load.
 */
export async function embedTexts(
  call: Call,
  request: EmbedRequest,
): Promise<Embedded | EmbedFailure | null> {
  const startedMs = performance.now();
  const { sim, exchange } = call;
  const { model } = request.found;
  const run = readRunOptions(model, request.options, sim.settings.contextLength, null);
  if (run.kind === "error") return { kind: "error", status: 500, message: run.message };
  let runner: Runner | null = null;
  if (!request.found.isElsewhere) {
    const { keepAliveMs } = request;
    const grant = await sim.scheduler.grant({ exchange, model, load: run.load, keepAliveMs });
    if (exchange.isGone) return null;
    if (grant.kind === "error") return grant;
    runner = grant.runner;
  }
  const loadedMs = performance.now();
  const lengths = request.texts.map((text) => Math.ceil(text.length / 4));
  const isTooLong = lengths.some((tokens) => tokens > run.load.numCtx);
  if (isTooLong && !request.isTruncating) {
    return { kind: "error", status: 400, message: "the input length exceeds the context length" };
  }
  if (request.texts.length > 0 && !isCapable(model, "embedding")) {
    return { kind: "error", status: 501, message: noEmbeddings };
  }
  const struck = exchange.strike?.fault;
  if (struck?.kind === "error-after-tokens") {
    return { kind: "error", status: struck.status ?? 400, message: struck.message };
  }
  const vectors = await embedAll(call, runner, request);
  if (vectors === null) return null;
  return {
    kind: "embedded",
    vectors,
    tokens: lengths.reduce((sum, tokens) => sum + Math.min(tokens, run.load.numCtx), 0),
    totalNs: Math.round((performance.now() - startedMs) * 1e6),
    loadNs: Math.max(1, Math.round((loadedMs - startedMs) * 1e6)),
  };
}

const noEmbeddings = "This server does not support embeddings. Start it with `--embeddings`";

async function embedAll(
  call: Call,
  runner: Runner | null,
  request: EmbedRequest,
): Promise<readonly string[] | null> {
  const jobs = request.texts.map((text) => embedOne(call, runner, request, text));
  const vectors = await Promise.all(jobs);
  return vectors.some((each) => each === null) ? null : (vectors as string[]);
}

async function embedOne(
  call: Call,
  runner: Runner | null,
  request: EmbedRequest,
  text: string,
): Promise<string | null> {
  const { sim, exchange } = call;
  const slots = runner?.slots;
  if (slots !== undefined && !slots.tryTake() && !(await slots.take(exchange))) return null;
  const common = {
    requestId: exchange.id,
    route: exchange.route,
    model: exchange.model ?? "",
    runnerKey: runner?.key ?? "elsewhere",
  };
  sim.journal.record({ kind: "embed-start", ...common });
  // Without a pace there is no waiting: one embedding a turn would limit what a benchmark sees.
  const { model } = request.found;
  if (model.tokenMs > 0) await sim.pace.sleep(model.tokenMs, exchange);
  const native = model.embeddingLength;
  const wanted = request.dimensions;
  const size = wanted > 0 && wanted < native ? wanted : native;
  const vector = embedAsJson(model.blob, text, size);
  slots?.give();
  const outcome = exchange.isGone ? "cancelled" : "complete";
  sim.journal.record({ kind: "embed-end", ...common, outcome });
  return exchange.isGone ? null : vector;
}
