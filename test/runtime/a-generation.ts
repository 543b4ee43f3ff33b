import type { GenerationRequest } from "../../src/runtime/generation.ts";

/** A request that asks for nothing special. */
export function aGeneration(facts: Partial<GenerationRequest> = {}): GenerationRequest {
  return {
    messages: [{ role: "user", content: "Show overdue follow-ups." }],
    sampling: {},
    options: {},
    think: null,
    responseFormat: { kind: "text" },
    fallback: null,
    ...facts,
  };
}
