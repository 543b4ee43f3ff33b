import type { HoldReason } from "./hold-reason.ts";
import type { LaneGroup } from "./lane-group.ts";
import type { ScheduleLimits, Snapshot } from "./snapshot.ts";
import { turnLeftMs } from "./turn-left.ts";

/** What a decision has come to by the time that the remaining heads are told to wait. */
export type Outcome = {
  /** The snapshot with this decision's starts applied. */
  readonly after: Snapshot;
  readonly limits: ScheduleLimits;
  /** Interactive jobs that still wait. */
  readonly peopleWaiting: number;
  /** Whose turn it is but for the jobs of another runner that still run; else null. */
  readonly next: LaneGroup | null;
};

/**
 * Why the head at `rank` (0 = next of its group) waits although the target is there: the first
 * of rules 1 to 5 that stands in its way.
 */
export function whyHeld(group: LaneGroup, rank: number, outcome: Outcome): HoldReason {
  const { after, limits, peopleWaiting, next } = outcome;
  if (group.class === "batch" && peopleWaiting > 0 && next?.class !== "batch") {
    return { kind: "behind-people", count: peopleWaiting };
  }
  const other = after.running.find(({ runnerKey }) => runnerKey !== group.runnerKey);
  if (other) {
    const holder = after.holders[group.class];
    const isHolding = holder?.runnerKey === other.runnerKey;
    const turnMs = isHolding ? turnLeftMs(holder, after, limits) : 0;
    const patienceLeftMs = limits.patienceMs[group.class] - group.oldestWaitedMs;
    return {
      kind: "other-runner",
      runnerKey: other.runnerKey,
      mustLoad: !after.residents.has(group.runnerKey),
      keepsMs: isHolding ? Math.max(turnMs, patienceLeftMs, 0) : 0,
    };
  }
  if (next && next.runnerKey !== group.runnerKey) {
    return { kind: "making-way", runnerKey: next.runnerKey };
  }
  return { kind: "ahead", count: rank + after.running.length };
}
