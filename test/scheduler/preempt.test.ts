import { describe, expect, test } from "vitest";
import type { JobId } from "../../src/job.ts";
import { type PreemptFacts, preempt } from "../../src/scheduler/preempt.ts";

type RunningJob = PreemptFacts["running"][number];

const limits = { slots: 1, withinMs: 20_000 };

const item = (more: Partial<RunningJob> = {}): RunningJob => ({
  jobId: "item" as JobId,
  class: "batch",
  mayRunAgain: true,
  ranMs: 5_000,
  preemptions: 0,
  wasDue: false,
  ...more,
});

const victim = (running: readonly RunningJob[], interactiveWaiting = 1, slots = 1) =>
  preempt({ running, interactiveWaiting }, { ...limits, slots });

describe("preempt", () => {
  test("1 leaves everybody alone while no person waits, or a slot is free", () => {
    expect(victim([item()], 0)).toBeNull();
    expect(victim([item()], 1, 2)).toBeNull();
    expect(
      preempt({ running: [item()], interactiveWaiting: 1 }, { slots: 1, withinMs: 0 }),
    ).toBeNull();
  });

  test("2 takes a batch item that has hardly begun, up to the bound and not past it", () => {
    expect(victim([item({ ranMs: 19_999 })])).toBe("item");
    expect(victim([item({ ranMs: 20_000 })])).toBeNull();
  });

  test("2 never takes a person's job, nor one that cannot be run again", () => {
    expect(victim([item({ class: "interactive" })])).toBeNull();
    expect(victim([item({ mayRunAgain: false })])).toBeNull();
  });

  test("2 lets an item run to its end that made way three times, or that was due", () => {
    expect(victim([item({ preemptions: 2 })])).toBe("item");
    expect(victim([item({ preemptions: 3 })])).toBeNull();
    expect(victim([item({ wasDue: true })])).toBeNull();
  });

  test("2 takes the one that loses least", () => {
    const young = item({ jobId: "young" as JobId, ranMs: 100 });

    expect(victim([item(), young], 1, 2)).toBe("young");
  });
});
