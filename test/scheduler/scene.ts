import type { JobId } from "../../src/job.ts";
import { explain } from "../../src/scheduler/hold-reason.ts";
import { schedule } from "../../src/scheduler/schedule.ts";
import type { LaneSnapshot, ScheduleLimits, Snapshot } from "../../src/scheduler/snapshot.ts";

export const limits: ScheduleLimits = {
  slots: 1,
  swapQuantum: { jobs: 32, ms: 120_000 },
  patienceMs: { interactive: 5_000, batch: 300_000 },
  batchFloor: { starts: 20, ms: 60_000 },
};

type LaneFacts = Partial<Omit<LaneSnapshot, "head">> & { arrival?: number; waitedMs?: number };

/** `lane("i a ann")`: interactive work of ann for runner a; `b` for batch. */
export function lane(
  key: string,
  { arrival = 1, waitedMs = 0, ...facts }: LaneFacts = {},
): LaneSnapshot {
  const [jobClass, runnerKey, client] = key.split(" ");
  return {
    key,
    class: jobClass === "b" ? "batch" : "interactive",
    runnerKey: runnerKey!,
    client: client!,
    clientSlots: null,
    depth: 1,
    pause: null,
    deficitMs: 0,
    head: { jobId: `job of ${key}` as JobId, arrival, waitedMs },
    ...facts,
  };
}

export function snapshot(lanes: LaneSnapshot[], facts: Partial<Snapshot> = {}): Snapshot {
  return {
    target: { isReachable: true, awayMs: 0 },
    isDraining: false,
    running: [],
    residents: new Set(),
    holders: { interactive: null, batch: null },
    restedMs: { interactive: new Map(), batch: new Map() },
    lastStarted: null,
    sinceBatchStart: { interactiveStarts: 0, ms: 0 },
    swapMs: new Map(),
    lanes,
    ...facts,
  };
}

export function started(of: Snapshot, within: Partial<ScheduleLimits> = {}): string[] {
  const decisions = schedule(of, { ...limits, ...within });
  return decisions.flatMap((decision) => (decision.kind === "start" ? decision.laneKey : []));
}

export function heldBecause(
  of: Snapshot,
  laneKey: string,
  within: Partial<ScheduleLimits> = {},
): string {
  const decisions = schedule(of, { ...limits, ...within });
  const decision = decisions.find((each) => each.laneKey === laneKey);
  return decision?.kind === "hold" ? explain(decision.reason, (key) => `model ${key}`) : "started";
}

export function bothHeld(runnerKey: string, starts: number, heldMs: number): Snapshot["holders"] {
  const holder = { runnerKey, starts, heldMs };
  return { interactive: holder, batch: holder };
}

export const holding = (runnerKey: string, starts: number, heldMs: number): Partial<Snapshot> => ({
  residents: new Set([runnerKey]),
  holders: bothHeld(runnerKey, starts, heldMs),
});
