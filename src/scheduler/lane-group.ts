import type { JobClass } from "../job.ts";
import type { LaneSnapshot } from "./snapshot.ts";

/**
 * The lanes of one class that want the same runner. Made anew for each decision and used up by it.
 */
export type LaneGroup = {
  readonly class: JobClass;
  readonly runnerKey: string;
  /** In the order in which their heads go: the greatest deficit first, then the oldest arrival. */
  readonly lanes: LaneSnapshot[];
  oldestWaitedMs: number;
  oldestArrival: number;
  /** Jobs behind all these heads that this decision has not started. */
  waitingJobs: number;
  /** How many of `lanes`, from the front, this decision has started. */
  startedLanes: number;
};

export type LaneGroups = Readonly<Record<JobClass, Map<string, LaneGroup>>>;

/** Names the group of such lanes. */
export function groupKey(facts: Pick<LaneSnapshot, "class" | "runnerKey">): string {
  return `${facts.class}\n${facts.runnerKey}`;
}

/**
 * Sorts lanes into groups by class and runner key; groups stand in the order of `lanes`.
 *
 * The sort within a group is what tells each head how many go before it. Over 2,000 lanes of one
 * group it is most of the cost of a decision, which is measured in design.md.
 */
export function groupLanes(lanes: readonly LaneSnapshot[]): LaneGroups {
  const groups: LaneGroups = { interactive: new Map(), batch: new Map() };
  for (const lane of lanes) {
    const group = groups[lane.class].get(lane.runnerKey);
    if (group) enlarge(group, lane);
    else groups[lane.class].set(lane.runnerKey, begin(lane));
  }
  for (const group of groups.interactive.values()) group.lanes.sort(byTurn);
  for (const group of groups.batch.values()) group.lanes.sort(byTurn);
  return groups;
}

function begin(lane: LaneSnapshot): LaneGroup {
  return {
    class: lane.class,
    runnerKey: lane.runnerKey,
    lanes: [lane],
    oldestWaitedMs: lane.head.waitedMs,
    oldestArrival: lane.head.arrival,
    waitingJobs: lane.depth,
    startedLanes: 0,
  };
}

function enlarge(group: LaneGroup, lane: LaneSnapshot): void {
  group.lanes.push(lane);
  group.oldestWaitedMs = Math.max(group.oldestWaitedMs, lane.head.waitedMs);
  group.oldestArrival = Math.min(group.oldestArrival, lane.head.arrival);
  group.waitingJobs += lane.depth;
}

function byTurn(one: LaneSnapshot, other: LaneSnapshot): number {
  // 4. Between clients of one class and runner: the one that is owed most.
  // 5. Then the oldest arrival.
  return other.deficitMs - one.deficitMs || one.head.arrival - other.head.arrival;
}
