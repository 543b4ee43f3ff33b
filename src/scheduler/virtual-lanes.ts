import { groupKey, groupLanes, type LaneGroup } from "./lane-group.ts";
import type { Pace } from "./pace.ts";
import { duesOf, type Line, linesOf } from "./place-in-group.ts";
import type { LaneSnapshot } from "./snapshot.ts";

/**
 * So many lanes of clients with slots of their own are looked at one by one; any further one counts
 * as if its client had none. Each costs a step of the forecast some microseconds more.
 */
const apartMax = 32;

/** A lane in a virtual box, which stands for one or several of those that wait. */
export type VirtualLane = {
  readonly lane: LaneSnapshot;
  /** The lanes that it stands for, among which the order is told by `placeInGroup`. */
  readonly lines: readonly Line[];
  /** What each head after the first is due at; null where no other lane competes with this one. */
  readonly dues: Iterator<number> | null;
};

/**
 * The lanes of a virtual box: one for each class and runner, since the scheduler's turns are
 * theirs, which keeps a step at a few microseconds however many clients wait. Only a client that
 * may run less than `slots` at once has its lanes for itself: when it has its slots in use, the
 * others go on without it (rule 1d).
 */
export function virtualLanes(
  lanes: readonly LaneSnapshot[],
  slots: number,
  pace: Pace,
): readonly VirtualLane[] {
  const isBound = ({ clientSlots }: LaneSnapshot) => clientSlots !== null && clientSlots < slots;
  const apart = new Set(lanes.filter(isBound).slice(0, apartMax));
  const { batch, interactive } = groupLanes(lanes);
  return [...interactive.values(), ...batch.values()].flatMap((group) =>
    lanesOfGroup(group, apart, pace),
  );
}

function lanesOfGroup(
  group: LaneGroup,
  apart: ReadonlySet<LaneSnapshot>,
  { runMs, running, weightOf }: Pace,
): readonly VirtualLane[] {
  const key = groupKey(group);
  const clients = running.filter((job) => groupKey(job) === key).map(({ client }) => client);
  // Where no run was measured the first start is all that can be told, and no job's time matters.
  const jobMs = runMs.get(group.runnerKey) || 1;
  const lines = linesOf(group.lanes, clients, jobMs, weightOf);
  const lineOf = new Map(lines.map((line) => [line.laneKey, line]));
  const linesFor = (some: readonly LaneSnapshot[]) =>
    some.flatMap((lane) => lineOf.get(lane.key) ?? []);
  const alone = group.lanes.filter((lane) => apart.has(lane));
  const crowd = group.lanes.filter((lane) => !apart.has(lane));
  const merged = mergedLane(crowd, key);
  if (alone.length === 0 && merged !== null) return [{ lane: merged, lines, dues: null }];
  return [
    ...(merged === null ? [] : [inTurn(merged, linesFor(crowd))]),
    ...alone.map((lane) => inTurn(lane, linesFor([lane]))),
  ];
}

/** The lane with what its head is owed, on the scale that the lines of its group share. */
function inTurn(lane: LaneSnapshot, lines: readonly Line[]): VirtualLane {
  const dues = duesOf(lines);
  return { lane: { ...lane, deficitMs: -dues.next().value }, lines, dues };
}

/** Lanes of a group as one; null of none. */
function mergedLane(lanes: readonly LaneSnapshot[], key: string): LaneSnapshot | null {
  const [first] = lanes;
  if (first === undefined) return null;
  const arrivals = lanes.map(({ head }) => head.arrival);
  const waitsMs = lanes.map(({ head }) => head.waitedMs);
  return {
    ...first,
    key,
    client: "",
    clientSlots: null,
    depth: lanes.reduce((sum, { depth }) => sum + depth, 0),
    head: {
      ...first.head,
      arrival: arrivals.reduce((least, each) => Math.min(least, each)),
      waitedMs: waitsMs.reduce((most, each) => Math.max(most, each)),
    },
    deficitMs: 0,
  };
}
