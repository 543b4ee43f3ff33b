import type { JournalEvent } from "./sim-ollama/journal.ts";
import type { SimOllama } from "./sim-ollama/sim-ollama.ts";

const polled = new Set(["/api/version", "/api/tags", "/api/ps", "/v1/models"]);

/** What reached the target on behalf of clients, in order: all requests but foreman's own polls. */
export function asked({ journal }: SimOllama): readonly JournalEvent[] {
  return journal.events.filter(({ kind, path }) => kind === "request" && !polled.has(path ?? ""));
}
