import type { Clock } from "../clock.ts";

/** What is asked whether it moves. */
type Moving = {
  readonly clock: Clock;
  readonly keeper: { readonly standstill: string | null };
  readonly dispatcher: {
    tick(): void;
    readonly turnedAtMs: number;
    readonly problem: string | null;
  };
};

/**
 * What a restart would mend, in words; null: nothing.
 * 1. The database does not come to the end of a write. One that refuses writes, for its disk is
 *    full, is no reason: that a restart would not mend.
 * 2. The dispatcher takes no turn when it is asked to, or lets nothing through that it might.
 */
export function readStandstill({ clock, dispatcher, keeper }: Moving): string | null {
  // 1.
  if (keeper.standstill !== null) return keeper.standstill;
  // 2.
  const askedAtMs = clock.monotonicMs();
  dispatcher.tick();
  if (dispatcher.turnedAtMs < askedAtMs) return "the dispatcher takes no turn";
  return dispatcher.problem;
}
