import type { Provider } from "./provider.ts";

/** The provider, but for how it is asked. */
export function askedBy(provider: Provider, generate: Provider["generate"]): Provider {
  return {
    id: provider.id,
    isConfigured: provider.isConfigured,
    status: provider.status,
    problem: provider.problem,
    models: provider.models,
    telemetry: provider.telemetry,
    defaultModel: (isOn) => provider.defaultModel(isOn),
    hasModel: (model) => provider.hasModel(model),
    modelKey: (model) => provider.modelKey(model),
    refreshModels: () => provider.refreshModels(),
    generate,
  };
}
