import type { JournalEvent, JournalKind } from "./journal.ts";

/** Two things that should not have happened at the same time. */
export type Overlap = {
  readonly reason: "too many generations" | "two runners generating" | "load during a generation";
  readonly atMs: number;
  readonly requestIds: readonly string[];
};

type Active = { readonly requestId: string; readonly runnerKey: string };

/**
 * Generations that ran beyond `slots` at once, or on two runners at once, and loads that began
 * while another runner generated. Embeddings are not looked at.
 */
export function overlaps(events: readonly JournalEvent[], slots = 1): readonly Overlap[] {
  const found: Overlap[] = [];
  const active = new Map<string, Active>();
  for (const event of events) {
    const requestId = event.requestId ?? "";
    const runnerKey = event.runnerKey ?? "";
    if (event.kind === "generate-end") active.delete(requestId);
    if (event.kind === "generate-start") active.set(requestId, { requestId, runnerKey });
    const reason = judge(event, [...active.values()], slots);
    if (reason === null) continue;
    const requestIds = [...new Set([...active.keys(), requestId])];
    found.push({ reason, atMs: event.atMs, requestIds });
  }
  return found;
}

function judge(
  event: JournalEvent,
  active: readonly Active[],
  slots: number,
): Overlap["reason"] | null {
  const others = active.filter((each) => each.runnerKey !== event.runnerKey);
  if (event.kind === "load-start" && others.length > 0) return "load during a generation";
  if (event.kind !== "generate-start") return null;
  if (others.length > 0) return "two runners generating";
  return active.length > slots ? "too many generations" : null;
}

/** How often a generation ran on another runner than the one before it. */
export function swaps(events: readonly JournalEvent[]): number {
  let previous: string | undefined;
  let count = 0;
  for (const event of events) {
    if (event.kind !== "generate-start") continue;
    if (previous !== undefined && event.runnerKey !== previous) count += 1;
    previous = event.runnerKey;
  }
  return count;
}

const spans = {
  generate: ["generate-start", "generate-end"],
  embed: ["embed-start", "embed-end"],
  load: ["load-start", "load-end"],
  request: ["request", "response-end"],
} as const satisfies Record<string, readonly [JournalKind, JournalKind]>;

/**
 * The most that ran at once. `request` counts exchanges from the head's arrival to the answer's
 * end, on one route if given: it shows what was sent together, even if the sim made it wait.
 */
export function maxConcurrent(
  events: readonly JournalEvent[],
  what: keyof typeof spans,
  route?: string,
): number {
  const [start, end] = spans[what];
  let current = 0;
  let most = 0;
  for (const event of events) {
    if (route !== undefined && event.route !== route) continue;
    if (event.kind === start) current += 1;
    if (event.kind === end) current -= 1;
    most = Math.max(most, current);
  }
  return most;
}

/** The requests to a route, in order of arrival; a route is as in the table: `/api/chat`. */
export function requestsTo(
  events: readonly JournalEvent[],
  route: string,
): readonly JournalEvent[] {
  return events.filter((event) => event.kind === "request" && event.route === route);
}

/** When each token of a request was handed to its socket, in ms of performance.now(). */
export function tokensSentAt(events: readonly JournalEvent[], requestId: string): number[] {
  return events
    .filter((event) => event.kind === "token" && event.requestId === requestId)
    .map((event) => event.atMs);
}

/**
 * What happened to these requests, event by event, each in a line of its own, for whoever
 * looks into a violation.
 */
export function tale(events: readonly JournalEvent[], requestIds: readonly string[]): string {
  return events
    .filter(({ kind, requestId = "" }) => kind !== "token" && requestIds.includes(requestId))
    .map(({ atMs, kind, outcome, requestId }) =>
      ["\n ", atMs.toFixed(2), requestId, kind, outcome ?? ""].join(" ").trimEnd(),
    )
    .join("");
}
