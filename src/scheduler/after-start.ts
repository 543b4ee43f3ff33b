import type { Holder, LaneSnapshot, Snapshot } from "./snapshot.ts";

/** The snapshot as it will stand once `lane`'s head runs: the next slot is decided upon that. */
export function afterStart(
  snapshot: Snapshot,
  { class: jobClass, client, runnerKey }: LaneSnapshot,
): Snapshot {
  const { holders, sinceBatchStart, running } = snapshot;
  const isBatch = jobClass === "batch";
  return {
    ...snapshot,
    running: [...running, { runnerKey, client }],
    holders: { ...holders, [jobClass]: lengthenRow(holders[jobClass], runnerKey) },
    lastStarted: jobClass,
    sinceBatchStart: isBatch
      ? { interactiveStarts: 0, ms: 0 }
      : { ...sinceBatchStart, interactiveStarts: sinceBatchStart.interactiveStarts + 1 },
  };
}

function lengthenRow(row: Holder | null, runnerKey: string): Holder {
  if (row?.runnerKey === runnerKey) return { ...row, starts: row.starts + 1 };
  return { runnerKey, starts: 1, heldMs: 0 };
}
