import type { JournalEvent } from "./sim-ollama/journal.ts";

/** One request for a generation as the target saw it: a start of a job, in the checker's words. */
export type TargetRun = {
  /** performance.now() at which the whole request had come. */
  readonly atMs: number;
  /** What the target sent, token by token, with the performance.now() of each. */
  readonly tokens: { readonly atMs: number; readonly text: string }[];
  /** How it ended at the target; null if it never generated. */
  outcome: "complete" | "cancelled" | "failed" | null;
};

/** Every generation request in the target's journal, by the hex sha256 of its body. */
export function targetRuns(events: readonly JournalEvent[]): ReadonlyMap<string, TargetRun[]> {
  const byBody = new Map<string, TargetRun[]>();
  const byRequest = new Map<string, TargetRun>();
  for (const { atMs, bodySha256, kind, outcome, requestId = "", route, text = "" } of events) {
    if (kind === "request" && route === "/api/chat" && bodySha256 !== undefined) {
      const run: TargetRun = { atMs, tokens: [], outcome: null };
      byRequest.set(requestId, run);
      byBody.set(bodySha256, [...(byBody.get(bodySha256) ?? []), run]);
    }
    // The ids begin anew with each life of the target: the latest request of an id is meant.
    const run = byRequest.get(requestId);
    if (kind === "token") run?.tokens.push({ atMs, text });
    if (kind === "generate-end" && run !== undefined) run.outcome = outcome ?? null;
  }
  return byBody;
}
