import type { Clock } from "../clock.ts";
import type { Lane, WaitingJob } from "../queue/lanes.ts";
import type { Queue } from "../queue/queue.ts";
import type { LanePause, LaneSnapshot, Snapshot } from "../scheduler/snapshot.ts";
import type { Inventory } from "../target/inventory.ts";
import type { Poller } from "../target/poller.ts";
import type { Runners } from "../target/runners.ts";
import type { Accounts } from "./accounts.ts";
import type { Residents } from "./residents.ts";
import type { Running } from "./slots.ts";
import type { Turns } from "./turns.ts";

/** What a snapshot is taken of. */
export type SnapshotSources = {
  readonly clock: Clock;
  readonly queue: Queue;
  readonly inventory: Inventory;
  readonly poller: Poller;
  readonly accounts: Accounts;
  readonly runners: Runners;
  readonly running: readonly Running[];
  readonly residents: Residents;
  readonly turns: Turns;
  /** Lanes that are held whatever the scheduler says, by key. */
  readonly kept: ReadonlyMap<string, unknown>;
  readonly pauseOf: (lane: Lane) => LanePause | null;
  /** See `LaneSnapshot.clientSlots`. */
  readonly slotsOf: (client: string) => number | null;
};

/** Gathers all that the scheduler decides on, as it stands at this instant. */
export function takeSnapshot(sources: SnapshotSources): Snapshot {
  const { clock, inventory, kept, poller, queue, residents, runners, running, turns } = sources;
  const nowMs = clock.monotonicMs();
  const { awaySinceMs, presence } = poller.state;
  if (presence === "away") residents.forget();
  const lanes: LaneSnapshot[] = [];
  for (const lane of queue.lanes()) {
    const [head] = lane.waiting.values();
    if (head !== undefined && !kept.has(lane.key)) {
      lanes.push(laneSnapshot(lane, head, nowMs, sources));
    }
  }
  return {
    target: {
      isReachable: presence === "present",
      awayMs: awaySinceMs === null ? 0 : nowMs - awaySinceMs,
    },
    isDraining: queue.isDraining,
    running: running.map(({ loadKey, waiting: { job } }) => ({
      runnerKey: runners.keyOf(loadKey),
      client: job.client,
    })),
    residents: residents.runnerKeys(inventory.loaded, inventory.loadedReadings),
    swapMs: residents.swapMs,
    lanes,
    // What is paused waits for nobody's turn, and is owed no start by the floor of batches.
    ...turns.facts(
      lanes.filter(({ pause }) => pause === null),
      nowMs,
    ),
  };
}

function laneSnapshot(
  lane: Lane,
  head: WaitingJob,
  nowMs: number,
  { accounts, pauseOf, runners, slotsOf }: SnapshotSources,
): LaneSnapshot {
  const { key, class: jobClass, client, waiting } = lane;
  const runnerKey = runners.keyOf(lane.loadKey);
  return {
    key,
    class: jobClass,
    runnerKey,
    client,
    clientSlots: slotsOf(client),
    depth: waiting.size + lane.storedBehind,
    head: {
      jobId: head.job.id,
      arrival: head.arrival,
      waitedMs: nowMs - head.joinedAtMs,
    },
    pause: pauseOf(lane),
    deficitMs: accounts.deficitMs({ class: jobClass, client, runnerKey }),
  };
}
