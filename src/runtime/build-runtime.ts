import type { Config } from "../config.ts";
import type { Part } from "../lifecycle.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import { answerChat, type ChatAnswer, type ChatFacts } from "./answer-chat.ts";
import type { GenerationRequest } from "./generation.ts";
import { OutputCheck } from "./output/output-check.ts";
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
  readonly outputCheck: OutputCheck;
  /** Asks the providers, one after another. */
  readonly ask: (request: GenerationRequest, facts: ChatFacts) => Promise<ChatAnswer>;
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
  const providers = {
    nemoclaw: nemoclaw ?? new Unconfigured("nemoclaw", "NEMOCLAW_API_URL is not set"),
    ollama,
    deterministic_fallback: new DeterministicFallback(),
  };
  const providerSwitch = new ProviderSwitch({ memory: store, clock, log });
  const outputCheck = new OutputCheck({ clock, log });
  const { largeTokens } = config;
  return {
    providers,
    providerSwitch,
    ollama,
    outputCheck,
    ask: (request, facts) => answerChat(request, facts, { providers, providerSwitch, largeTokens }),
    parts: [
      { name: "output check", stop: () => outputCheck.stop() },
      ...(nemoclaw
        ? [{ name: "nemoclaw", start: () => nemoclaw.start(), stop: () => nemoclaw.stop() }]
        : []),
    ],
  };
}
