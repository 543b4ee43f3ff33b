import type { Config } from "../config.ts";
import type { Part } from "../lifecycle.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import { ProviderSwitch } from "./provider-switch.ts";
import { DeterministicFallback } from "./providers/fallback.ts";
import { NemoclawProvider } from "./providers/nemoclaw.ts";
import { type OllamaDeps, OllamaProvider } from "./providers/ollama.ts";
import type { Providers } from "./providers/provider.ts";
import { Unconfigured } from "./providers/unconfigured.ts";

type RuntimeDeps = Omit<OllamaDeps, "keepAlive" | "answerBytesMax"> & {
  readonly store: Store;
  /** From 0 to 1, for the jitter of what is tried again. */
  readonly random: () => number;
  readonly log: Log;
};

/** What the runtime-LLM API stands on. */
export type Runtime = {
  readonly providers: Providers;
  readonly providerSwitch: ProviderSwitch;
  /** To be told of the target, and of the jobs that ended. */
  readonly ollama: OllamaProvider;
  /** What of it has a life. */
  readonly parts: readonly Part[];
};

/** Builds the providers, of which none is asked anything yet. */
export function buildRuntime(config: Config, deps: RuntimeDeps): Runtime {
  const { clock, log, random, store } = deps;
  const { answerBytesMax, keepAlive, queueDepthMax: depthMax } = config;
  const ollama = new OllamaProvider({ ...deps, answerBytesMax, keepAlive });
  const nemoclaw =
    config.nemoclaw &&
    new NemoclawProvider({ ...config.nemoclaw, answerBytesMax, depthMax, clock, random, log });
  return {
    providers: {
      nemoclaw: nemoclaw ?? new Unconfigured("nemoclaw", "NEMOCLAW_API_URL is not set"),
      ollama,
      deterministic_fallback: new DeterministicFallback(),
    },
    providerSwitch: new ProviderSwitch({ memory: store, clock, log }),
    ollama,
    parts: nemoclaw
      ? [{ name: "nemoclaw", start: () => nemoclaw.start(), stop: () => nemoclaw.stop() }]
      : [],
  };
}
