import { describe, expect, test } from "vitest";
import { Vitals } from "../../../src/runtime/providers/vitals.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function scene() {
  const clock = new ManualClock();
  const vitals = new Vitals(clock);
  vitals.noteThere();
  const answered = (latencyMs: number, completionTokens: number | null = null) =>
    vitals.noteAnswered({ latencyMs, generationMs: latencyMs / 2, completionTokens });
  return { clock, vitals, answered };
}

describe("a provider's telemetry", () => {
  test("says nothing of what was not measured", () => {
    const { vitals } = scene();

    expect(vitals.telemetry(3)).toMatchObject({
      latency_ms: null,
      last_error: null,
      error_rate: 0,
      queue_depth: 3,
      tokens_per_second: null,
    });
  });

  test("has percentiles that are latencies of requests", () => {
    const { vitals, answered } = scene();
    for (let ms = 100; ms >= 1; ms--) answered(ms);

    expect(vitals.telemetry(0).latency_ms).toEqual({ p50: 50, p95: 95, p99: 99 });
  });

  test("of one request has it everywhere", () => {
    const { vitals, answered } = scene();
    answered(12.4);

    expect(vitals.telemetry(0).latency_ms).toEqual({ p50: 12, p95: 12, p99: 12 });
  });

  test("counts tokens against the time that was spent on them", () => {
    const { vitals, answered } = scene();
    answered(2_000, 30);
    answered(2_000, 50);
    answered(9_000, null);

    expect(vitals.telemetry(0).tokens_per_second).toBe(40);
  });

  test("forgets requests after ten minutes, and all but the last 200", async () => {
    const { clock, vitals, answered } = scene();
    vitals.noteFailed("x");
    for (let i = 0; i < 199; i++) answered(1);
    expect(vitals.telemetry(0).error_rate).toBe(0.005);
    answered(1);
    expect(vitals.telemetry(0).error_rate).toBe(0);

    await clock.advance(600_000);
    expect(vitals.telemetry(0).latency_ms).not.toBeNull();
    await clock.advance(1);
    expect(vitals.telemetry(0).latency_ms).toBeNull();
  });

  test("tells the last good moment, and keeps a page of an error to its beginning", async () => {
    const { clock, vitals, answered } = scene();
    await clock.advance(1_000);
    answered(1);
    await clock.advance(1_000);
    vitals.noteFailed("e".repeat(5_000));

    const { last_error, last_ok_at } = vitals.telemetry(0);
    expect(last_ok_at).toBe(new Date(clock.wallMs() - 1_000).toISOString());
    expect(last_error).toBe(`${"e".repeat(300)}…`);
  });

  test("explains a status that is not online, and nothing else", () => {
    const { vitals } = scene();
    expect([vitals.status, vitals.problem]).toEqual(["online", null]);

    vitals.noteAway("connect ECONNREFUSED");

    expect([vitals.status, vitals.problem]).toEqual(["offline", "connect ECONNREFUSED"]);
  });
});
