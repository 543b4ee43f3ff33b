import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ProviderId } from "../../src/runtime/providers/provider.ts";
import {
  type ProviderState,
  type RouteRequest,
  type RouteRules,
  type RouteStep,
  routeProvider,
} from "../../src/runtime/route-provider.ts";
import { providerIds } from "../../src/wire/provider-id.ts";

type Facts = {
  readonly request?: Partial<RouteRequest>;
  readonly states?: Partial<Record<ProviderId, Partial<ProviderState>>>;
  readonly rules?: Partial<RouteRules>;
};

const well: ProviderState = {
  isConfigured: true,
  isOn: true,
  status: "online",
  problem: null,
  offer: { kind: "model", name: "m" },
};

function route({ request = {}, rules = {}, states = {} }: Facts) {
  return routeProvider(
    { provider: null, jobType: null, estimatedTokens: 100, hasFallback: false, ...request },
    {
      nemoclaw: { ...well, ...states.nemoclaw },
      ollama: { ...well, ...states.ollama },
      deterministic_fallback: { ...well, ...states.deterministic_fallback },
    },
    { largeTokens: 8_000, order: null, ...rules },
  );
}

/** "ollama" for one who is asked, "ollama: provider_unavailable" for one who is skipped. */
const told = (step: RouteStep) =>
  step.kind === "ask" ? step.provider : `${step.provider}: ${step.code}`;
const steps = (facts: Facts) => route(facts).steps.map(told);

const large = { estimatedTokens: 8_001 };
const offline = { status: "offline", problem: "refused" } as const;
const degraded = { status: "degraded" } as const;
const off = { isOn: false };
const unknown = { offer: { kind: "unknown", name: "x" } } as const;
const missing = { isConfigured: false, status: "offline", problem: "no URL" } as const;
const unavailable = "provider_unavailable";

describe("who is asked", () => {
  test.each<[string, Facts, string, readonly string[]]>([
    [
      "1: a provider that is named, alone",
      { request: { provider: "nemoclaw" } },
      "explicit",
      ["nemoclaw"],
    ],
    [
      "1: a provider that is named, and the fallback that the request brings",
      { request: { provider: "ollama", hasFallback: true } },
      "explicit",
      ["ollama", "deterministic_fallback"],
    ],
    [
      "1: the named provider for a large prompt too, and against the operator's order",
      { request: { provider: "ollama", ...large }, rules: { order: [...providerIds] } },
      "explicit",
      ["ollama"],
    ],
    [
      "1: the fallback by its name, though the request brings none: it says so itself",
      { request: { provider: "deterministic_fallback" } },
      "explicit",
      ["deterministic_fallback"],
    ],
    [
      "2: whom the operator put first",
      { rules: { order: ["nemoclaw", "ollama", "deterministic_fallback"] } },
      "operator_order",
      ["nemoclaw", "ollama"],
    ],
    [
      "2: whom the operator put first, for a large prompt too",
      { request: large, rules: { order: ["ollama", "nemoclaw", "deterministic_fallback"] } },
      "operator_order",
      ["ollama", "nemoclaw"],
    ],
    [
      "2: the fallback first, if the operator says so and the request brings it",
      {
        request: { hasFallback: true },
        rules: { order: ["deterministic_fallback", "ollama", "nemoclaw"] },
      },
      "operator_order",
      ["deterministic_fallback", "ollama", "nemoclaw"],
    ],
    ["3: nemoclaw for a large prompt", { request: large }, "large", ["nemoclaw", "ollama"]],
    [
      "3: nemoclaw for a large coding job",
      { request: { ...large, jobType: "coding_review" } },
      "large",
      ["nemoclaw", "ollama"],
    ],
    [
      "3: nemoclaw from one token above the bound on",
      { request: { estimatedTokens: 8_000 } },
      "default",
      ["ollama", "nemoclaw"],
    ],
    [
      "3: ollama for a large prompt while nemoclaw is not well",
      { request: large, states: { nemoclaw: degraded } },
      "default",
      ["ollama", "nemoclaw"],
    ],
    [
      "4: ollama for a coding job",
      { request: { jobType: "coding_review" } },
      "coding",
      ["ollama", "nemoclaw"],
    ],
    [
      "4: ollama for a large coding job while nemoclaw is not well",
      { request: { ...large, jobType: "coding" }, states: { nemoclaw: degraded } },
      "coding",
      ["ollama", "nemoclaw"],
    ],
    [
      "5: ollama for everything else, and last the fallback",
      { request: { jobType: "oracle_canvas_planning", hasFallback: true } },
      "default",
      ["ollama", "nemoclaw", "deterministic_fallback"],
    ],
    [
      "6: nobody whom the settings do not name",
      { request: large, states: { nemoclaw: missing } },
      "default",
      ["ollama", "nemoclaw: provider_misconfigured"],
    ],
    [
      "6: nobody whom the settings do not name, though the request does",
      { request: { provider: "nemoclaw" }, states: { nemoclaw: missing } },
      "explicit",
      ["nemoclaw: provider_misconfigured"],
    ],
    [
      "7: nobody who is switched off",
      { states: { ollama: off } },
      "default",
      ["ollama: switched_off", "nemoclaw"],
    ],
    [
      "7: nobody who is switched off, though the request names them",
      { request: { provider: "ollama", hasFallback: true }, states: { ollama: off } },
      "explicit",
      ["ollama: switched_off", "deterministic_fallback"],
    ],
    [
      "8: nobody who does not have the model",
      { states: { ollama: unknown } },
      "default",
      ["ollama: model_not_found", "nemoclaw"],
    ],
    [
      "8: nobody for a model that is switched off there",
      { states: { ollama: { offer: { kind: "off", name: "x" } } } },
      "default",
      ["ollama: switched_off", "nemoclaw"],
    ],
    [
      "8: nobody who has no model to offer",
      { states: { ollama: { offer: { kind: "none" } } } },
      "default",
      ["ollama: model_not_found", "nemoclaw"],
    ],
    [
      "9: the next one, while ollama is offline",
      { states: { ollama: offline } },
      "default",
      [`ollama: ${unavailable}`, "nemoclaw"],
    ],
    [
      "9: the fallback, while everybody is offline",
      { request: { hasFallback: true }, states: { ollama: offline, nemoclaw: offline } },
      "default",
      [`ollama: ${unavailable}`, `nemoclaw: ${unavailable}`, "deterministic_fallback"],
    ],
    [
      "9: ollama all the same, when nobody else is left: its queue waits",
      { states: { ollama: offline, nemoclaw: missing } },
      "default",
      ["ollama", "nemoclaw: provider_misconfigured"],
    ],
    [
      "9: ollama rather than others, when all are offline",
      { states: { ollama: offline, nemoclaw: offline }, rules: { order: [...providerIds] } },
      "operator_order",
      [`nemoclaw: ${unavailable}`, "ollama"],
    ],
    [
      "9: nemoclaw all the same, when it is the only one",
      { states: { ollama: unknown, nemoclaw: offline } },
      "default",
      ["ollama: model_not_found", "nemoclaw"],
    ],
    [
      "9: the fallback, while the named provider is offline",
      { request: { provider: "ollama", hasFallback: true }, states: { ollama: offline } },
      "explicit",
      [`ollama: ${unavailable}`, "deterministic_fallback"],
    ],
    [
      "9: those who are degraded, as ever",
      { states: { ollama: degraded } },
      "default",
      ["ollama", "nemoclaw"],
    ],
  ])("%s", (_, facts, rule, wanted) => {
    expect(route(facts).rule).toBe(rule);
    expect(steps(facts)).toEqual(wanted);
  });
});

describe("who is passed over", () => {
  test.each<[Facts, string]>([
    [{ states: { ollama: offline } }, "offline: refused"],
    [{ states: { ollama: off } }, "switched off by the operator"],
    [{ states: { ollama: unknown } }, "it does not have the model 'x'"],
    [
      { states: { ollama: { offer: { kind: "off", name: "x" } } } },
      "the model 'x' is switched off by the operator",
    ],
    [{ states: { ollama: missing } }, "no URL"],
  ])("is told with the reason: %#", (facts, reason) => {
    expect(route(facts).steps[0]).toMatchObject({ kind: "skip", provider: "ollama", reason });
  });
});

describe("whatever the request, the providers and the operator", () => {
  const status = fc.constantFrom("online" as const, "degraded" as const, "offline" as const);
  const state = fc.record({
    isConfigured: fc.boolean(),
    isOn: fc.boolean(),
    status,
    problem: fc.constant("p"),
    offer: fc.constantFrom<ProviderState["offer"]>(
      { kind: "model", name: "m" },
      { kind: "unknown", name: "m" },
      { kind: "off", name: "m" },
      { kind: "none" },
    ),
  });
  const states = fc.record({ nemoclaw: state, ollama: state, deterministic_fallback: state });
  const request = fc.record({
    provider: fc.constantFrom(null, ...providerIds),
    jobType: fc.constantFrom(null, "coding", "other"),
    estimatedTokens: fc.nat({ max: 16_000 }),
    hasFallback: fc.boolean(),
  });
  const order = fc.option(fc.shuffledSubarray([...providerIds], { minLength: 3 }), { nil: null });
  const scene = fc.tuple(request, states, order);

  test("nobody is asked who is off, missing or without the model", () => {
    fc.assert(
      fc.property(scene, ([asked, given, chosen]) => {
        const { steps } = routeProvider(asked, given, { largeTokens: 8_000, order: chosen });
        for (const step of steps.filter(({ kind }) => kind === "ask")) {
          const { isConfigured, isOn, offer } = given[step.provider];
          expect([isConfigured, isOn, offer.kind]).toEqual([true, true, "model"]);
        }
      }),
    );
  });

  test("nobody stands in the order twice, and a named one stands there with the fallback alone", () => {
    fc.assert(
      fc.property(scene, ([asked, given, chosen]) => {
        const { steps } = routeProvider(asked, given, { largeTokens: 8_000, order: chosen });
        const ids = steps.map(({ provider }) => provider);
        expect(new Set(ids).size).toBe(ids.length);
        if (asked.provider === null) return;
        expect([asked.provider, "deterministic_fallback"]).toEqual(expect.arrayContaining(ids));
      }),
    );
  });

  test("somebody is asked whenever anybody could be", () => {
    fc.assert(
      fc.property(scene, ([asked, given, chosen]) => {
        const { steps } = routeProvider(asked, given, { largeTokens: 8_000, order: chosen });
        const could = steps.some(({ provider }) => {
          const { isConfigured, isOn, offer } = given[provider];
          return isConfigured && isOn && offer.kind === "model";
        });
        expect(steps.some(({ kind }) => kind === "ask")).toBe(could);
      }),
    );
  });

  test("one who is offline is asked only when nobody else is", () => {
    fc.assert(
      fc.property(scene, ([asked, given, chosen]) => {
        const { steps } = routeProvider(asked, given, { largeTokens: 8_000, order: chosen });
        const asks = steps.filter(({ kind }) => kind === "ask");
        const areOffline = asks.map(({ provider }) => given[provider].status === "offline");
        if (areOffline.includes(true)) expect(areOffline).toEqual([true]);
      }),
    );
  });
});
