import type { FailureCode } from "./failure-codes.ts";
import type { ProviderId, ProviderStatus } from "./providers/provider.ts";

/** What the choice depends on, of the request. */
export type RouteRequest = {
  /** Null: foreman chooses. */
  readonly provider: ProviderId | null;
  readonly jobType: string | null;
  readonly estimatedTokens: number;
  /** Whether the request brings an answer along, for when nobody else has one. */
  readonly hasFallback: boolean;
};

/** Which model a provider would be asked for; or why for none. */
export type Offer =
  | { readonly kind: "model"; readonly name: string }
  /** It does not have the one that was asked for. */
  | { readonly kind: "unknown"; readonly name: string }
  | { readonly kind: "off"; readonly name: string }
  /** None was asked for, and it has none to offer. */
  | { readonly kind: "none" };

/** How a provider stands at this moment. */
export type ProviderState = {
  readonly isConfigured: boolean;
  /** By the operator's switch. */
  readonly isOn: boolean;
  readonly status: ProviderStatus;
  /** Why it is not online; null while it is. */
  readonly problem: string | null;
  readonly offer: Offer;
};

export type RouteRules = {
  /** Estimated tokens above this make a prompt large. */
  readonly largeTokens: number;
  /** The operator's; null for the rule of the tree. */
  readonly order: readonly ProviderId[] | null;
};

/** Why a provider was not asked, or did not answer. */
export type Skipped = {
  readonly provider: ProviderId;
  readonly code: FailureCode;
  /** For a person. */
  readonly reason: string;
};

/** Asked one after another, until one answers. */
export type RouteStep =
  | { readonly kind: "ask"; readonly provider: ProviderId; readonly model: string }
  | ({ readonly kind: "skip" } & Skipped);

/** Which branch of the tree gave the order. */
export type RouteRule = "explicit" | "operator_order" | "large" | "coding" | "default";

export type Route = { readonly rule: RouteRule; readonly steps: readonly RouteStep[] };

type States = Readonly<Record<ProviderId, ProviderState>>;

/**
 * Who is to be asked, in which order, and who is passed over, and why.
 *
 * The order:
 * 1. The request names a provider → that one alone.
 * 2. The operator set an order → that one.
 * 3. The prompt is large and nemoclaw is online → nemoclaw, ollama.
 * 4. Coding (`job_type` begins with `coding`), of any size otherwise → ollama, nemoclaw.
 * 5. Else → ollama, nemoclaw.
 * Last comes deterministic_fallback, wherever the request brings a fallback, and only there.
 *
 * Each of them is asked, but:
 * 6. not configured → skipped. 7. Switched off → skipped. 8. The model is not known there, or
 * switched off, or there is none → skipped. 9. Offline → skipped, if anybody else is left to be
 * asked. If nobody is, one that is offline is asked all the same: ollama rather than others, since
 * its queue waits for it.
 */
export function routeProvider(request: RouteRequest, states: States, rules: RouteRules): Route {
  const { order, rule } = orderOf(request, states, rules);
  const hasFallback = request.hasFallback || request.provider === fallback;
  const chosen = order.filter((id) => id !== fallback || hasFallback);
  const steps = chosen.map((id) => stepOf(id, states[id], { evenOffline: false }));
  if (steps.some(({ kind }) => kind === "ask")) return { rule, steps };
  // 9.
  const patient = steps.find(isOffline("ollama")) ?? steps.find(isOffline(null));
  const asked = steps.map((step) =>
    step === patient ? stepOf(step.provider, states[step.provider], { evenOffline: true }) : step,
  );
  return { rule, steps: asked };
}

const fallback = "deterministic_fallback";

function orderOf(
  { estimatedTokens, jobType, provider }: RouteRequest,
  { nemoclaw }: States,
  { largeTokens, order }: RouteRules,
): { readonly rule: RouteRule; readonly order: readonly ProviderId[] } {
  // 1.
  if (provider !== null) {
    return { rule: "explicit", order: provider === fallback ? [fallback] : [provider, fallback] };
  }
  // 2.
  if (order !== null) return { rule: "operator_order", order };
  // 3.
  if (estimatedTokens > largeTokens && nemoclaw.status === "online") {
    return { rule: "large", order: ["nemoclaw", "ollama", fallback] };
  }
  // 4. and 5.
  const isCoding = jobType?.startsWith("coding") ?? false;
  return { rule: isCoding ? "coding" : "default", order: ["ollama", "nemoclaw", fallback] };
}

function stepOf(
  provider: ProviderId,
  state: ProviderState,
  { evenOffline }: { readonly evenOffline: boolean },
): RouteStep {
  const { isConfigured, isOn, offer, problem, status } = state;
  const skip = (code: FailureCode, reason: string) =>
    ({ kind: "skip", provider, code, reason }) as const;
  // 6.
  if (!isConfigured) return skip("provider_misconfigured", problem ?? "not configured");
  // 7.
  if (!isOn) return skip("switched_off", "switched off by the operator");
  // 8.
  switch (offer.kind) {
    case "unknown":
      return skip("model_not_found", `it does not have the model '${offer.name}'`);
    case "off":
      return skip("switched_off", `the model '${offer.name}' is switched off by the operator`);
    case "none":
      return skip("model_not_found", "it has no model to offer");
    case "model":
      break;
    default:
      return offer satisfies never;
  }
  // 9.
  if (status === "offline" && !evenOffline) {
    return skip("provider_unavailable", `offline: ${problem ?? "the cause is not known"}`);
  }
  return { kind: "ask", provider, model: offer.name };
}

/** A step of that provider, or of any for null, that is skipped for being offline alone. */
function isOffline(provider: ProviderId | null): (step: RouteStep) => boolean {
  return (step) =>
    step.kind === "skip" &&
    step.code === "provider_unavailable" &&
    (provider === null || step.provider === provider);
}
