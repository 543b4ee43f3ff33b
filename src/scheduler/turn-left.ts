import type { Holder, ScheduleLimits, Snapshot } from "./snapshot.ts";

/**
 * A turn lasts at least this many times its runner's load, its load counted, so that loading costs
 * a tenth at most.
 */
const swapsPerTurn = 10;

/**
 * Milliseconds for which a class's holder may still keep the slot while others wait; 0 when its
 * quantum is spent, or when there is no holder.
 *
 * Spent means: it has held for ten times its own measured load, and has had its jobs or its time,
 * whichever came first. A load that was never measured stretches nothing.
 */
export function turnLeftMs(
  holder: Holder | null,
  { swapMs }: Snapshot,
  limits: ScheduleLimits,
): number {
  if (!holder) return 0;
  const { jobs, ms } = limits.swapQuantum;
  const quantumMs = holder.starts >= jobs ? 0 : ms;
  const worthwhileMs = swapsPerTurn * (swapMs.get(holder.runnerKey) ?? 0);
  return Math.max(0, Math.max(quantumMs, worthwhileMs) - holder.heldMs);
}
