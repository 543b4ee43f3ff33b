import { describe, expect, test } from "vitest";
import type { Status } from "../../src/wire/status.ts";
import { RawClient } from "../support/raw-client.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const chat = (model: string) => ({ model, messages: [{ role: "user", content: "hi" }] });

describe("GET /foreman/status", () => {
  test("says who runs, who waits and why", async () => {
    const sim = await startSim({
      models: ["a", "b"].map((name) => ({ name, tokenMs: 20, tokens: 1_000, loadMs: 100 })),
    });
    const foreman = await startForeman(sim.url);
    const status = async () =>
      (await (await fetch(`${foreman.url}/foreman/status`)).json()) as Status;
    const running = new RawClient(foreman.port).post("/api/chat", chat("a"));
    await running.received('"done":false');
    const waiting = ["a", "b"].map((model) =>
      new RawClient(foreman.port).post("/api/chat", chat(model)),
    );
    await until("both wait", async () => (await status()).waiting.length === 2);

    const seen = await status();

    expect(seen).toMatchObject({
      target: { presence: "present", away_ms: null, models: ["b:latest", "a:latest"] },
      slots: 1,
      running: [{ model: "a", priority: "interactive", attempts: 1 }],
    });
    expect(seen.target.loaded.map(({ name }) => name)).toEqual(["a:latest"]);
    const reasons = new Map(seen.waiting.map(({ model, reason }) => [model, reason]));
    expect(reasons.get("a:latest")).toBe("1 ahead, same model");
    expect(reasons.get("b:latest")).toMatch(/a:latest/);
    for (const client of [running, ...waiting]) client.leave();
  });

  test("says what swaps have cost, and when the first of each line should start", async () => {
    const sim = await startSim({
      models: ["a", "b"].map((name) => ({ name, tokenMs: 20, tokens: 5, loadMs: 100 })),
      maxLoadedModels: 1,
    });
    const foreman = await startForeman(sim.url);
    const read = async () =>
      (await (await fetch(`${foreman.url}/foreman/status`)).json()) as Status;
    for (const model of ["a", "b", "b", "a"]) {
      const body = JSON.stringify(chat(model));
      await (await fetch(`${foreman.url}/api/chat`, { method: "POST", body })).text();
    }
    const long = { ...chat("b"), messages: [{ role: "user", content: "[[tokens=500]]" }] };
    const running = new RawClient(foreman.port).post("/api/chat", long);
    await running.received('"done":false');
    const waiting = new RawClient(foreman.port).post("/api/chat", chat("a"));
    await until("it waits", async () => (await read()).waiting.length === 1);

    const {
      running: [run],
      swaps,
      waiting: lines,
    } = await read();

    expect(swaps).toMatchObject({ runs: 4, count: 3, untold: 0, for_options: 0 });
    expect(swaps.recent.map(({ cause, from, to }) => [from, to, cause])).toEqual([
      ["b:latest", "a:latest", "model"],
      ["a:latest", "b:latest", "model"],
      [null, "a:latest", "gone"],
    ]);
    for (const { at, load_ms } of swaps.recent) {
      expect(load_ms).toBeGreaterThanOrEqual(100);
      expect(Date.now() - Date.parse(at)).toBeLessThan(20_000);
    }
    expect(swaps.load_ms).toBeGreaterThanOrEqual(300);
    expect(run?.tokens).toBeGreaterThan(0);
    expect(lines[0]?.eta_ms).toBeLessThan(5_000);
    for (const client of [running, waiting]) client.leave();
  });

  test("tells whose load options made a loaded model be loaded anew", async () => {
    const sim = await startSim({ models: [{ name: "a", tokenMs: 1, tokens: 2, loadMs: 100 }] });
    const { url } = await startForeman(sim.url);
    for (const [client, num_ctx] of [
      ["aider", 8192],
      ["continue", 32768],
      ["continue", 32768],
      ["aider", 8192],
    ] as const) {
      const body = JSON.stringify({ ...chat("a"), options: { num_ctx } });
      const headers = { "X-OpenWebUI-User-Id": client };
      await (await fetch(`${url}/api/chat`, { method: "POST", headers, body })).text();
    }

    const { swaps } = (await (await fetch(`${url}/foreman/status`)).json()) as Status;

    expect(swaps).toMatchObject({ count: 3, for_options: 2 });
    const told = swaps.recent.map((each) => {
      const { cause, client, from_options, to_options } = each;
      return [client, cause, from_options, to_options];
    });
    expect(told).toEqual([
      ["user:aider", "options", "num_ctx=32768", "num_ctx=8192"],
      ["user:continue", "options", "num_ctx=8192", "num_ctx=32768"],
      ["user:aider", "gone", null, "num_ctx=8192"],
    ]);
  });

  test("says since when the target is away", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_POLL_INTERVAL: "100ms" });
    await sim.down();

    await until("away", async () => {
      const seen = (await (await fetch(`${foreman.url}/foreman/status`)).json()) as Status;
      return seen.target.presence === "away" && (seen.target.away_ms ?? 0) > 50;
    });
  });
});
