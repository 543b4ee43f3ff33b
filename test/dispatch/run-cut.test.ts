import { describe, expect, test } from "vitest";
import { lastLine, startRun } from "./run-scene.ts";

describe("a job that is cut", () => {
  test("closes the target's connection at once when its client left, who hears nothing", () => {
    const { asked, outcomes, run, waiter } = startRun();
    asked.head().chunk('{"prompt_eval_count":11}\n');

    run.cut("client_gone");

    expect(asked.isAborted).toBe(true);
    expect(run.wasCut).toBe(true);
    expect(waiter.isOver).toBe(false);
    expect(outcomes).toMatchObject([
      { ending: { state: "cancelled", reason: "client_gone", statusCode: 200, promptTokens: 11 } },
    ]);
  });

  test("ends once, for the first reason", () => {
    const { outcomes, run } = startRun();

    run.cut("client_gone");
    run.cut("shutdown");

    expect(outcomes).toMatchObject([{ ending: { reason: "client_gone" } }]);
  });

  test("tells its client of a shutdown by an error, or by a break inside the answer", () => {
    const [before, inside] = [startRun(), startRun()];
    inside.asked.head();

    before.run.cut("shutdown");
    inside.run.cut("shutdown");

    expect(before.waiter.refusal).toMatchObject({ code: "draining", statusCode: 503 });
    expect(inside.waiter.refusal).toBeNull();
    expect(inside.waiter.failure?.message).toContain("shutting down");
    for (const { outcomes } of [before, inside]) {
      expect(outcomes).toMatchObject([{ ending: { state: "cancelled", reason: "shutdown" } }]);
    }
  });
});

describe("a generation that is silent", () => {
  test("is cut after the stall timeout, and not a millisecond before", async () => {
    const { asked, clock, outcomes, waiter } = startRun({ stallMsMax: 600_000 });

    await clock.advance(599_999);
    expect(asked.isAborted).toBe(false);
    await clock.advance(1);

    expect(asked.isAborted).toBe(true);
    expect(waiter.refusal).toMatchObject({ code: "target_timeout", statusCode: 504 });
    expect(outcomes).toMatchObject([{ ending: { state: "failed", reason: "stalled" } }]);
  });

  test.each(["head", "chunk"] as const)("has its time again from each %s", async (sign) => {
    const { asked, clock } = startRun({ stallMsMax: 1_000 });
    if (sign === "chunk") asked.head();
    await clock.advance(900);
    if (sign === "chunk") asked.chunk("{}\n");
    else asked.head();

    await clock.advance(999);
    expect(asked.isAborted).toBe(false);
    await clock.advance(1);
    expect(asked.isAborted).toBe(true);
  });

  test("has its time again when what is loaded changed, as while a model is swapped", async () => {
    const { asked, clock, seen } = startRun({ stallMsMax: 1_000 });
    await clock.advance(900);
    seen.lastLoadedChangeMs = clock.monotonicMs();

    await clock.advance(999);
    expect(asked.isAborted).toBe(false);
    await clock.advance(1);
    expect(asked.isAborted).toBe(true);
  });

  test("is waited for without end when the limit is switched off", async () => {
    const { asked, clock } = startRun();

    await clock.advance(7 * 86_400_000);

    expect(asked.isAborted).toBe(false);
  });
});

describe("a generation that runs and runs", () => {
  test("is cut at the run timeout though it speaks, and not a millisecond before", async () => {
    const { asked, clock, outcomes, waiter } = startRun({ runMsMax: 2_000, stallMsMax: 1_500 });
    asked.head();
    await clock.advance(1_000);
    asked.chunk("{}\n");
    await clock.advance(999);
    expect(asked.isAborted).toBe(false);

    await clock.advance(1);

    expect(waiter.failure?.message).toContain("FOREMAN_RUN_TIMEOUT");
    expect(outcomes).toMatchObject([{ ending: { state: "failed", reason: "run_timeout" } }]);
  });

  test("leaves no timer behind when it ends in time", () => {
    const { asked, clock } = startRun({ runMsMax: 2_000, stallMsMax: 1_500 });

    asked.head().chunk(lastLine).end();

    expect(clock.pendingCount).toBe(0);
  });
});
