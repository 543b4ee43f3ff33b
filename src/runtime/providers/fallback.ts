import { failure, type GenerationOutcome, type GenerationRequest } from "../generation.ts";
import { nothingMeasured, type Provider } from "./provider.ts";

/** Answers with what the request itself brought along: always there, always the same. */
export class DeterministicFallback implements Provider {
  readonly id = "deterministic_fallback";
  readonly isConfigured = true;
  readonly status = "online";
  readonly problem = null;
  readonly models: readonly string[] = [];
  readonly telemetry = nothingMeasured;

  defaultModel(): string {
    return this.id;
  }

  /** No model is needed, so none is missing. */
  hasModel(): boolean {
    return true;
  }

  modelKey(model: string): string {
    return model;
  }

  async refreshModels(): Promise<void> {}

  async generate({ fallback }: GenerationRequest): Promise<GenerationOutcome> {
    if (fallback === null) {
      const message = "deterministic_fallback answers with the request's `fallback`: it has none";
      return failure("fallback_missing", message);
    }
    return {
      kind: "answered",
      content: fallback.content,
      model: this.id,
      usage: { prompt_tokens: null, completion_tokens: null },
      finishReason: null,
    };
  }
}
