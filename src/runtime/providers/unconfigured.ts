import { failure, type GenerationOutcome } from "../generation.ts";
import { nothingMeasured, type Provider, type ProviderId } from "./provider.ts";

/** Stands in the place of a provider that the settings do not name: offline, and says why. */
export class Unconfigured implements Provider {
  readonly id: ProviderId;
  readonly isConfigured = false;
  readonly status = "offline";
  readonly problem: string;
  readonly models: readonly string[] = [];
  readonly telemetry = nothingMeasured;

  constructor(id: ProviderId, problem: string) {
    this.id = id;
    this.problem = problem;
  }

  defaultModel(): null {
    return null;
  }

  hasModel(): boolean {
    return false;
  }

  modelKey(model: string): string {
    return model;
  }

  async refreshModels(): Promise<void> {}

  async generate(): Promise<GenerationOutcome> {
    return failure("provider_misconfigured", this.problem);
  }
}
