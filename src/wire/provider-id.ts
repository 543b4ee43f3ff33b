/** The providers there are, by their names on the wire; in the order in which they are listed. */
export const providerIds = ["nemoclaw", "ollama", "deterministic_fallback"] as const;
