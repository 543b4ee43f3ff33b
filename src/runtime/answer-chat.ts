import { providerIds } from "../wire/provider-id.ts";
import { estimateTokens } from "./estimate-tokens.ts";
import { failureCodes } from "./failure-codes.ts";
import {
  failure,
  type GenerationFailure,
  type GenerationOutcome,
  type GenerationRequest,
} from "./generation.ts";
import type { ProviderSwitch } from "./provider-switch.ts";
import type { Provider, ProviderId, Providers } from "./providers/provider.ts";
import {
  type Offer,
  type ProviderState,
  type RouteRule,
  routeProvider,
  type Skipped,
} from "./route-provider.ts";

export type ChatFacts = {
  /** Null: foreman chooses. */
  readonly provider: ProviderId | null;
  /** Null: the provider's own. */
  readonly model: string | null;
  readonly jobType: string | null;
  /** Who asks: a token's name, a forwarded user id, or an address. */
  readonly client: string;
  /** Aborts when whoever asks has gone. */
  readonly signal: AbortSignal;
};

export type ChatAnswer = {
  readonly outcome: GenerationOutcome;
  /** Who gave the outcome; null when nobody could be asked. */
  readonly provider: ProviderId | null;
  /** Which rule chose the order. */
  readonly rule: RouteRule;
  /** Who else was come to in the order, and why it was not they. */
  readonly skipped: readonly Skipped[];
};

export type AnswerChatDeps = {
  readonly providers: Providers;
  readonly providerSwitch: ProviderSwitch;
  /** Estimated tokens above this make a prompt large. */
  readonly largeTokens: number;
};

/**
 * Asks the providers for an answer, one after another as `routeProvider` has them, until one gives
 * it or its failure is not one that another could mend. Never rejects.
 */
export async function answerChat(
  request: GenerationRequest,
  facts: ChatFacts,
  deps: AnswerChatDeps,
): Promise<ChatAnswer> {
  const { client, signal } = facts;
  const { rule, steps } = await routeOf(request, facts, deps);
  const skipped: Skipped[] = [];
  let last: { readonly provider: ProviderId; readonly outcome: GenerationFailure } | null = null;
  for (const [i, step] of steps.entries()) {
    if (step.kind === "skip") {
      const { code, provider, reason } = step;
      skipped.push({ provider, code, reason });
      continue;
    }
    if (last !== null) skipped.push(skippedBy(last));
    const { model, provider } = step;
    const mayWait = steps.slice(i + 1).every(({ kind }) => kind === "skip");
    const options = { model, client, signal, mayWait };
    const outcome = await deps.providers[provider].generate(request, options);
    if (outcome.kind === "answered" || !failureCodes[outcome.code].mayTryNext) {
      return { outcome, provider, rule, skipped };
    }
    last = { provider, outcome };
  }
  if (last !== null) return { ...last, rule, skipped };
  return { outcome: nobody(skipped), provider: null, rule, skipped };
}

/** How one provider would take a request for that model, or for its own. */
function offerOf(
  provider: Provider,
  model: string | null,
  { isExplicit, providerSwitch }: { isExplicit: boolean; providerSwitch: ProviderSwitch },
): Offer {
  const isOn = (name: string) => providerSwitch.isModelOn(provider.id, provider.modelKey(name));
  if (model === null) {
    const name = provider.defaultModel(isOn);
    return name === null ? { kind: "none" } : { kind: "model", name };
  }
  // Who was asked for by name may know a model that it did not list, and says itself if not.
  if (!isExplicit && !provider.hasModel(model)) return { kind: "unknown", name: model };
  return { kind: isOn(model) ? "model" : "off", name: model };
}

async function routeOf(request: GenerationRequest, facts: ChatFacts, deps: AnswerChatDeps) {
  const { providerSwitch, providers } = deps;
  const { jobType, model, provider } = facts;
  const all = providerIds.map((id) => providers[id]);
  const isMissing = model !== null && !all.some((each) => knows(each, model));
  // It may have been pulled a moment ago.
  if (isMissing && provider === null) await Promise.all(all.map((each) => each.refreshModels()));
  const stateOf = (id: ProviderId): ProviderState => {
    const { isConfigured, problem, status } = providers[id];
    const offer = offerOf(providers[id], model, { isExplicit: provider !== null, providerSwitch });
    return { isConfigured, isOn: providerSwitch.isOn(id), status, problem, offer };
  };
  const states = {
    nemoclaw: stateOf("nemoclaw"),
    ollama: stateOf("ollama"),
    deterministic_fallback: stateOf("deterministic_fallback"),
  };
  const hasFallback = request.fallback !== null;
  const estimatedTokens = estimateTokens(request.messages);
  const { largeTokens } = deps;
  const route = { provider, jobType, estimatedTokens, hasFallback };
  return routeProvider(route, states, { largeTokens, order: providerSwitch.order });
}

/** The fallback takes any name, and so knows none. */
function knows(provider: Provider, model: string): boolean {
  return provider.id !== "deterministic_fallback" && provider.hasModel(model);
}

function skippedBy(last: { provider: ProviderId; outcome: GenerationFailure }): Skipped {
  const { code, message } = last.outcome;
  return { provider: last.provider, code, reason: message };
}

/** Nobody was asked. A reason that may pass is the one to tell, then that the model is unknown. */
function nobody(skipped: readonly Skipped[]): GenerationFailure {
  const told =
    skipped.find(({ code }) => failureCodes[code].isPassing) ??
    skipped.find(({ code }) => code === "model_not_found") ??
    skipped[0];
  const reasons = skipped.map(({ provider, reason }) => `${provider}: ${reason}`).join("; ");
  return failure(told?.code ?? "provider_unavailable", `no provider can answer: ${reasons}`);
}
