import { Inventory } from "../../src/target/inventory.ts";
import { Poller } from "../../src/target/poller.ts";
import { FakeTarget } from "../support/fake-target.ts";
import { logLines } from "../support/log-lines.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { PolledTarget } from "../support/polled-target.ts";

type SceneFacts = {
  readonly intervalMs?: number;
  readonly random?: number;
  readonly onReturn?: () => Promise<void>;
  readonly onChange?: () => void;
};

/** A poller in front of a target that answers its polls as `polled` says. */
export function pollerScene(facts: SceneFacts = {}) {
  const { intervalMs = 30_000, random = 0.5, onChange, onReturn } = facts;
  const clock = new ManualClock();
  const polled = new PolledTarget();
  const target = new FakeTarget((asked) => void polled.answer(asked));
  const inventory = new Inventory();
  const { lines, log } = logLines();
  const counts = { changes: 0, returns: 0 };
  const poller = new Poller({
    target,
    inventory,
    clock,
    log,
    intervalMs,
    random: () => random,
    onReturn: async () => {
      counts.returns += 1;
      await onReturn?.();
    },
    onChange: () => {
      counts.changes += 1;
      onChange?.();
    },
  });
  return { clock, polled, target, inventory, log, lines, counts, poller };
}

export type PollerScene = ReturnType<typeof pollerScene>;

/** The poller after its first poll, with everything well. */
export async function present(facts: SceneFacts = {}): Promise<PollerScene> {
  const scene = pollerScene(facts);
  await scene.poller.refresh();
  await scene.clock.settle();
  return scene;
}

/** Milliseconds from one poll to the next, for so many polls. */
export async function pollGaps({ clock, target }: PollerScene, count: number): Promise<number[]> {
  const gaps: number[] = [];
  let lastMs = clock.monotonicMs();
  while (gaps.length < count) {
    const asked = target.askedOf("/api/tags").length;
    while (target.askedOf("/api/tags").length === asked) await clock.advance(10);
    gaps.push(clock.monotonicMs() - lastMs);
    lastMs = clock.monotonicMs();
  }
  return gaps;
}
