import type { Clock } from "../clock.ts";
import type { Job, JobClass } from "../job.ts";
import type { Lane } from "../queue/lanes.ts";
import type { Queue } from "../queue/queue.ts";
import type { Share } from "../scheduler/share.ts";
import type { LaneSnapshot, Snapshot } from "../scheduler/snapshot.ts";
import type { Inventory } from "../target/inventory.ts";
import type { Poller } from "../target/poller.ts";
import type { Residents } from "./residents.ts";
import type { Turns } from "./turns.ts";

type SnapshotSources = {
  readonly clock: Clock;
  readonly queue: Queue;
  readonly inventory: Inventory;
  readonly poller: Poller;
  readonly share: Readonly<Record<JobClass, Share>>;
  readonly running: readonly Job[];
  readonly residents: Residents;
  readonly turns: Turns;
  /** Lanes that are held whatever the scheduler says, by key. */
  readonly paused: ReadonlyMap<string, unknown>;
};

/** Gathers all that the scheduler decides on, as it stands at this instant. */
export function takeSnapshot(sources: SnapshotSources): Snapshot {
  const { clock, inventory, paused, poller, queue, residents, running, share, turns } = sources;
  const nowMs = clock.monotonicMs();
  const { awaySinceMs, presence } = poller.state;
  if (presence === "away") residents.forget();
  const lanes = [...queue.lanes()]
    .filter(({ key }) => !paused.has(key))
    .flatMap((lane) => laneSnapshot(lane, nowMs, share));
  return {
    target: {
      isReachable: presence === "present",
      awayMs: awaySinceMs === null ? 0 : nowMs - awaySinceMs,
    },
    isDraining: queue.isDraining,
    running,
    residents: residents.runnerKeys(inventory.loaded, inventory.loadedReadings),
    swapMs: residents.swapMs,
    lanes,
    ...turns.facts(lanes, nowMs),
  };
}

function laneSnapshot(
  lane: Lane,
  nowMs: number,
  share: SnapshotSources["share"],
): readonly LaneSnapshot[] {
  const { key, class: jobClass, client, runnerKey, waiting } = lane;
  const [head] = waiting.values();
  if (head === undefined) return [];
  return [
    {
      key,
      class: jobClass,
      runnerKey,
      client,
      depth: waiting.size + lane.storedBehind,
      head: {
        jobId: head.job.id,
        arrival: head.arrival,
        waitedMs: nowMs - head.joinedAtMs,
      },
      deficitMs: share[jobClass].deficitMs(lane),
    },
  ];
}
