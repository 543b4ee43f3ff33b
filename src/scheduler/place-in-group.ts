import type { LaneSnapshot } from "./snapshot.ts";

/** A lane among those of its class and runner, on a scale that they share. */
export type Line = {
  readonly laneKey: string;
  readonly depth: number;
  readonly arrival: number;
  /** When its head goes: the lower, the sooner. What its client has had, against the others. */
  readonly dueMs: number;
  /** How much later each job behind the head is due. */
  readonly stepMs: number;
};

/**
 * The lanes of one class and runner, by what rules 4 and 5 of schedule() order them by: whoever has
 * had the least of the GPU by its weight goes next. Counts a client's lanes (for sockets and for
 * durable jobs, and for each name of the model) as served in turn.
 *
 * @param runningClients of each running job of that class and runner the client, who has not been
 * charged for it yet
 * @param jobMs what each job is expected to be charged, more than 0
 * @param weightOf the weight by which a lane's client is charged, more than 0
 */
export function linesOf(
  lanes: readonly LaneSnapshot[],
  runningClients: readonly string[],
  jobMs: number,
  weightOf: (lane: LaneSnapshot) => number,
): readonly Line[] {
  const running = countOf(runningClients);
  const shared = countOf(lanes.map(({ client }) => client));
  return lanes.map((lane) => {
    const { client, deficitMs, depth, head, key } = lane;
    const chargeMs = jobMs / weightOf(lane);
    return {
      laneKey: key,
      depth,
      arrival: head.arrival,
      dueMs: (running.get(client) ?? 0) * chargeMs - deficitMs,
      stepMs: (shared.get(client) ?? 1) * chargeMs,
    };
  });
}

/** When the first, second, third job of these lines is due; Infinity behind the last. */
export function* duesOf(lines: readonly Line[]): Generator<number, never> {
  const left = lines.map(({ depth, dueMs, stepMs }) => ({ depth, dueMs, stepMs }));
  for (;;) {
    let next = { depth: 0, dueMs: Number.POSITIVE_INFINITY, stepMs: 0 };
    for (const line of left) if (line.depth > 0 && line.dueMs < next.dueMs) next = line;
    yield next.dueMs;
    next.depth -= 1;
    next.dueMs += next.stepMs;
  }
}

/**
 * How many jobs of its class and runner start before the one at `position` (from 1) of a line.
 * Grows with the position.
 */
export function placeInGroup(lines: readonly Line[], line: Line, position: number): number {
  const dueMs = line.dueMs + (position - 1) * line.stepMs;
  let before = position - 1;
  for (const other of lines) {
    if (other === line) continue;
    const steps = (dueMs - other.dueMs) / other.stepMs;
    // 5. Of two that are due at once the older one goes.
    const jobs = other.arrival < line.arrival ? Math.floor(steps) + 1 : Math.ceil(steps);
    before += Math.max(0, Math.min(jobs, other.depth));
  }
  return before;
}

function countOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
