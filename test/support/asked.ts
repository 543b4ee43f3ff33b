import type { JournalEvent } from "./sim-ollama/journal.ts";
import type { SimOllama } from "./sim-ollama/sim-ollama.ts";

const polled = new Set(["/api/version", "/api/tags", "/api/ps", "/v1/models"]);

/** What reached the target on behalf of clients, in order: all but what foreman asks by itself. */
export function asked({ journal }: SimOllama): readonly JournalEvent[] {
  return journal.events.filter(
    ({ kind, path = "", rawHeaders = [] }) =>
      kind === "request" && !polled.has(path) && !isSurvey(path, rawHeaders),
  );
}

/** Whether foreman asks there what a model is made of: clients do not call themselves so. */
export function isSurvey(path: string, rawHeaders: readonly string[]): boolean {
  return path === "/api/show" && rawHeaders.includes("foreman");
}
