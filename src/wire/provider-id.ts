/** The providers there are, by their names on the wire. */
export const providerIds = ["ollama", "nemoclaw", "deterministic_fallback"] as const;

export type ProviderId = (typeof providerIds)[number];
