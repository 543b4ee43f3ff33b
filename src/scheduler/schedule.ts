import type { JobClass, JobId } from "../job.ts";
import { afterStart } from "./after-start.ts";
import type { HoldReason } from "./hold-reason.ts";
import { groupLanes, type LaneGroup, type LaneGroups } from "./lane-group.ts";
import type { LaneSnapshot, ScheduleLimits, Snapshot } from "./snapshot.ts";
import { turnLeftMs } from "./turn-left.ts";
import { type Outcome, whyHeld } from "./why-held.ts";

/** What becomes of one lane's head. */
export type Decision =
  | {
      readonly kind: "start";
      readonly laneKey: string;
      readonly jobId: JobId;
      /** Whether the runner must be loaded first, so far as the snapshot knows. */
      readonly isSwap: boolean;
    }
  | {
      readonly kind: "hold";
      readonly laneKey: string;
      readonly jobId: JobId;
      readonly reason: HoldReason;
    };

export type Start = Extract<Decision, { kind: "start" }>;

/**
 * Says of each lane's head whether it is let through now, and if not, why. Starts come first, in
 * their order; then the holds. One decision per lane. Pure: the same snapshot, the same answer.
 *
 * A lane's second job is not in the snapshot, so it may keep a slot free that only it may take:
 * whoever acts on the starts takes a new snapshot and asks again until nothing is started.
 *
 * 1. Hold everything
 *    a. while foreman drains;
 *    b. that an operator paused, be the target there or not: the rest goes on as if it were not
 *       there, so that it neither takes a turn nor keeps one from others;
 *    c. while the target is away, or when no slot is free;
 *    d. of a client that has its own `clientSlots` in use: as if it were not there, as in b.
 * 2. Class: interactive before batch. But batch goes next when it waits and
 *    a. `batchFloor.starts` interactive starts came since the last batch start, or
 *    b. `batchFloor.ms` passed since, and the last start was not a batch one already: items that
 *       run longer than the floor would otherwise shut people out for good.
 * 3. Runner, within the class (each class has its own holder, or a batch item could open a new
 *    turn for a runner that people have just left, before others that they have not reached):
 *    a. the holder while it is loaded and has work, until its quantum is spent and a head of
 *       another runner is out of patience;
 *    b. when the holder has no work: another loaded runner, while nobody is out of patience;
 *    c. else the runner that has gone without for the longest: the lesser of its oldest head's
 *       wait and the time since the class last let it through.
 * 4. Client, within class and runner: the one that is owed most GPU time (share.ts).
 * 5. Then the oldest arrival.
 * 6. While a job runs, only its own runner starts beside it. When rules 2 and 3 call for another,
 *    nothing starts until all slots are free: nothing overlaps a swap, and no runner is put off
 *    by a stream of jobs that keep the others' slots busy.
 */
export function schedule(snapshot: Snapshot, limits: ScheduleLimits): Decision[] {
  // 1a.
  if (snapshot.isDraining) return holdAll(snapshot.lanes, { kind: "draining" });
  // 1b.
  const [lanes, paused] = withoutPaused(snapshot.lanes);
  // 1c.
  if (!snapshot.target.isReachable) {
    const awayMs = snapshot.target.awayMs;
    return [...holdAll(lanes, { kind: "target-away", awayMs }), ...paused];
  }
  // 1d. Without a free slot it is the others that stand before it, as before everyone.
  const isFree = snapshot.running.length < limits.slots;
  const [open, full] = isFree ? withoutFull(lanes, snapshot) : [lanes, []];
  const groups = groupLanes(open);
  const decisions: Decision[] = [];
  let after = snapshot;
  let next: LaneGroup | null = null;
  // 1c. No slot is free: the loop is not entered, and whyHeld says what stands before each head.
  while (after.running.length < limits.slots) {
    next = nextGroup(groups, after, limits);
    const lane = next && !isBlocked(next, after) ? next.lanes[next.startedLanes] : undefined;
    if (!next || !lane) break;
    decisions.push(start(lane, after));
    after = afterStart(after, lane);
    take(groups, next);
    next = null;
    // 1d. Its other lanes may not go now: whoever acts on this asks again.
    if (isClientFull(lane, after)) break;
  }
  holdRest(
    groups,
    { after, limits, peopleWaiting: countJobs(groups.interactive), next },
    decisions,
  );
  return [...decisions, ...full, ...paused];
}

/** The lanes that may have a turn, and the holds of the others: nearly always there are none. */
function withoutPaused(lanes: readonly LaneSnapshot[]): [readonly LaneSnapshot[], Decision[]] {
  if (!lanes.some(({ pause }) => pause !== null)) return [lanes, []];
  const moving: LaneSnapshot[] = [];
  const paused: Decision[] = [];
  for (const lane of lanes) {
    if (lane.pause === null) moving.push(lane);
    else paused.push(hold(lane, { kind: "paused", ...lane.pause }));
  }
  return [moving, paused];
}

/** Whether as many of the lane's client's jobs run as may. */
export function isClientFull(
  { client, clientSlots }: LaneSnapshot,
  { running }: { readonly running: readonly { readonly client: string }[] },
): boolean {
  if (clientSlots === null) return false;
  return running.filter((job) => job.client === client).length >= clientSlots;
}

function withoutFull(
  lanes: readonly LaneSnapshot[],
  snapshot: Snapshot,
): [readonly LaneSnapshot[], Decision[]] {
  const full = lanes.flatMap((lane) => {
    const { client, clientSlots: slots } = lane;
    if (slots === null || !isClientFull(lane, snapshot)) return [];
    return [hold(lane, { kind: "client-full", client, slots })];
  });
  const keys = new Set(full.map(({ laneKey }) => laneKey));
  return [full.length === 0 ? lanes : lanes.filter(({ key }) => !keys.has(key)), full];
}

/** Rules 2 and 3: whose turn it is. Null when nothing waits. */
function nextGroup(
  groups: LaneGroups,
  snapshot: Snapshot,
  limits: ScheduleLimits,
): LaneGroup | null {
  const jobClass = nextClass(groups, snapshot, limits);
  return nextOfClass(groups[jobClass], jobClass, snapshot, limits);
}

function nextClass(groups: LaneGroups, snapshot: Snapshot, limits: ScheduleLimits): JobClass {
  // 2. People first, when there is a choice.
  if (groups.batch.size === 0) return "interactive";
  if (groups.interactive.size === 0) return "batch";
  const { starts, ms } = limits.batchFloor;
  const since = snapshot.sinceBatchStart;
  // 2a.
  if (starts > 0 && since.interactiveStarts >= starts) return "batch";
  // 2b.
  const isFloorPassed = ms > 0 && since.ms >= ms;
  return isFloorPassed && snapshot.lastStarted !== "batch" ? "batch" : "interactive";
}

function nextOfClass(
  groups: ReadonlyMap<string, LaneGroup>,
  jobClass: JobClass,
  snapshot: Snapshot,
  limits: ScheduleLimits,
): LaneGroup | null {
  const row = snapshot.holders[jobClass];
  let holder: LaneGroup | null = null;
  let loaded: LaneGroup | null = null;
  let longest: LaneGroup | null = null;
  let isPatienceOut = false;
  for (const group of groups.values()) {
    const isLoaded = isResident(group.runnerKey, snapshot);
    if (isLoaded && group.runnerKey === row?.runnerKey) {
      holder = group;
      continue;
    }
    isPatienceOut ||= group.oldestWaitedMs >= limits.patienceMs[jobClass];
    longest = longerWithout(longest, group, snapshot);
    if (isLoaded) loaded = longerWithout(loaded, group, snapshot);
  }
  // 3a.
  const mustLeave = isPatienceOut && turnLeftMs(row, snapshot, limits) === 0;
  if (holder && !mustLeave) return holder;
  // 3b.
  if (loaded && !isPatienceOut) return loaded;
  // 3c.
  return longest;
}

function longerWithout(best: LaneGroup | null, group: LaneGroup, snapshot: Snapshot): LaneGroup {
  if (!best) return group;
  const difference = withoutMs(group, snapshot) - withoutMs(best, snapshot);
  const isLonger = difference > 0 || (difference === 0 && group.oldestArrival < best.oldestArrival);
  return isLonger ? group : best;
}

/**
 * The head's wait alone would not do: a client deep in debt keeps an ancient head in a runner
 * that was just served, and two such runners would take turns for ever before a third.
 */
function withoutMs(group: LaneGroup, { restedMs }: Snapshot): number {
  const rested = restedMs[group.class].get(group.runnerKey) ?? group.oldestWaitedMs;
  return Math.min(group.oldestWaitedMs, rested);
}

function isResident(runnerKey: string, { residents, running }: Snapshot): boolean {
  return residents.has(runnerKey) || running.some((job) => job.runnerKey === runnerKey);
}

function isBlocked(group: LaneGroup, { running }: Snapshot): boolean {
  // 6.
  return running.some((job) => job.runnerKey !== group.runnerKey);
}

function start(lane: LaneSnapshot, snapshot: Snapshot): Decision {
  const isSwap = !isResident(lane.runnerKey, snapshot);
  return { kind: "start", laneKey: lane.key, jobId: lane.head.jobId, isSwap };
}

/** A lane with more jobs still counts as waiting, or batch work would slip in before its second. */
function take(groups: LaneGroups, group: LaneGroup): void {
  group.startedLanes += 1;
  group.waitingJobs -= 1;
  if (group.waitingJobs === 0) groups[group.class].delete(group.runnerKey);
}

function holdAll(lanes: readonly LaneSnapshot[], reason: HoldReason): Decision[] {
  return lanes.map((lane) => hold(lane, reason));
}

function holdRest(groups: LaneGroups, outcome: Outcome, decisions: Decision[]): void {
  for (const ofClass of [groups.interactive, groups.batch]) {
    for (const group of ofClass.values()) {
      for (const [rank, lane] of group.lanes.slice(group.startedLanes).entries()) {
        decisions.push(hold(lane, whyHeld(group, rank, outcome)));
      }
    }
  }
}

function hold(lane: LaneSnapshot, reason: HoldReason): Decision {
  return { kind: "hold", laneKey: lane.key, jobId: lane.head.jobId, reason };
}

function countJobs(groups: ReadonlyMap<string, LaneGroup>): number {
  let jobs = 0;
  for (const group of groups.values()) jobs += group.waitingJobs;
  return jobs;
}
