import { invalidRequest } from "../../runtime/invalid-request.ts";
import type { ProviderSwitch } from "../../runtime/provider-switch.ts";
import type { Provider, Providers } from "../../runtime/providers/provider.ts";
import { providerIds } from "../../wire/provider-id.ts";
import { providerOrder, providerPatch } from "../../wire/runtime.ts";
import { type Call, tell } from "../call.ts";
import { readJson } from "./read-json.ts";

export type ProvidersDeps = {
  readonly providers: Providers;
  readonly providerSwitch: ProviderSwitch;
};

/** More than anybody has; what is switched off is kept for good. */
const modelsOffMax = 1_000;

/** So many names help whoever mistyped one. */
const namesMax = 20;

/** `GET /api/runtime/llm/providers`: in the operator's order, if one was set. */
export function listProviders(call: Call, deps: ProvidersDeps): void {
  const { providerSwitch, providers } = deps;
  const order = providerSwitch.order ?? providerIds;
  tell(call, 200, { providers: order.map((id) => providerView(providers[id], deps)) });
}

/** `GET /api/runtime/llm/providers/order`: null while the routing rule decides. */
export function showOrder(call: Call, { providerSwitch }: ProvidersDeps): void {
  tell(call, 200, { order: providerSwitch.order });
}

/** `PUT /api/runtime/llm/providers/order`. */
export async function setOrder(call: Call, deps: ProvidersDeps): Promise<void> {
  const { note, order } = await readJson(call, providerOrder);
  await deps.providerSwitch.setOrder(order, { by: call.client, note: note ?? null });
  showOrder(call, deps);
}

/** `GET /api/runtime/llm/providers/changes`: who changed what, and when; newest first. */
export function listChanges(call: Call, { providerSwitch }: ProvidersDeps): void {
  tell(call, 200, { changes: providerSwitch.changes });
}

/** `PATCH /api/runtime/llm/providers/{id}`: switches it, or models of it, on or off. */
export async function patchProvider(call: Call, id: string, deps: ProvidersDeps): Promise<void> {
  const { providerSwitch, providers } = deps;
  const known = providerIds.find((each) => each === id);
  if (known === undefined) {
    const msg = `no provider "${id}": there are ${providerIds.join(", ")}`;
    throw invalidRequest([{ loc: ["path", "id"], msg, type: "enum" }]);
  }
  const provider = providers[known];
  const { enabled, models = {}, note } = await readJson(call, providerPatch);
  refuseUnknownModels(provider, Object.keys(models), providerSwitch);
  const switched = Object.entries(models).map(([name, isOn]) => ({
    ...listedModel(provider, name),
    isOn,
  }));
  const change = { enabled, models: switched };
  await providerSwitch.setProvider(known, change, { by: call.client, note: note ?? null });
  tell(call, 200, providerView(provider, deps));
}

function providerView(provider: Provider, { providerSwitch }: ProvidersDeps) {
  const { id, models, problem, status, telemetry } = provider;
  const isOn = providerSwitch.isOn(id);
  const isModelOn = (name: string) => providerSwitch.isModelOn(id, provider.modelKey(name));
  return {
    id,
    // Whoever reads no more than this must not choose what is switched off.
    status: isOn ? status : "offline",
    models: models.filter(isModelOn),
    ...telemetry,
    enabled: isOn,
    models_off: providerSwitch.modelsOff(id),
    problem: isOn ? problem : "switched off by the operator",
  };
}

/** The model as the provider lists it, so that one model has one entry under all its names. */
function listedModel(provider: Provider, name: string) {
  const key = provider.modelKey(name);
  const listed = provider.models.find((model) => provider.modelKey(model) === key);
  return { key, name: listed ?? name };
}

/** A model that is not there may have been switched off when it was; one with no list, any. */
function refuseUnknownModels(
  provider: Provider,
  names: readonly string[],
  providerSwitch: ProviderSwitch,
): void {
  const { id, models } = provider;
  const off = providerSwitch.modelsOff(id);
  const isKnown = (name: string) =>
    provider.hasModel(name) || !providerSwitch.isModelOn(id, provider.modelKey(name));
  const unknown = models.length === 0 ? [] : names.filter((name) => !isKnown(name));
  const known = models.slice(0, namesMax).join(", ");
  const problems = unknown.map((name) => ({
    loc: ["body", "models", name],
    msg: `${id} has no such model; it has ${known}`,
    type: "value_error",
  }));
  if (problems.length > 0) throw invalidRequest(problems);
  if (off.length + names.length <= modelsOffMax) return;
  const msg = `at most ${modelsOffMax} models of ${id} are switched off`;
  throw invalidRequest([{ loc: ["body", "models"], msg, type: "value_error" }]);
}
