import { setTimeout as delay } from "node:timers/promises";
import { Agent } from "undici";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Clock } from "../../src/clock.ts";
import { RawClient } from "../support/raw-client.ts";
import { requestsTo } from "../support/sim-ollama/journal-queries.ts";
import { startSimOllama } from "../support/sim-ollama/sim-ollama.ts";
import { startForeman } from "../support/start-foreman.ts";
import { until } from "../support/until.ts";

/*
 * undici keeps its timeouts by the global setTimeout, which is faked here before it is first used;
 * sockets, and foreman's own clock, go on in real time. That this finds a timeout is shown by an
 * agent with undici's defaults, which gives the same request up.
 */

const realTimers = { setTimeout, clearTimeout };

const realClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(ms, fn) {
    const timeout = realTimers.setTimeout(fn, ms);
    timeout.unref();
    return { cancel: () => realTimers.clearTimeout(timeout) };
  },
  async sleep(ms, signal) {
    await delay(ms, undefined, { ref: false, ...(signal && { signal }) }).catch(() => {});
  },
};

test("S7: a model that takes longer to load than undici's 300 s is waited for", async () => {
  const sim = await startSimOllama();
  onTestFinished(() => sim.stop());
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const foreman = await startForeman(sim.url, {}, { clock: realClock });
  const load = sim.fail({ route: "/api/chat", fault: { kind: "stall" } });
  const body = { model: "llama3.2", messages: [{ role: "user", content: "[[token-ms=0]]" }] };

  const client = new RawClient(foreman.port).post("/api/chat", body);
  const usual = new Agent();
  const failure = usual
    .request({ origin: sim.url, path: "/api/chat", method: "POST", body: JSON.stringify(body) })
    .catch((error: Error) => error.message);
  await until("both are at the target", () => load.hitCount === 2);
  for (let second = 0; second < 320; second += 1) vi.advanceTimersByTime(1_000);
  expect(await failure).toBe("Headers Timeout Error");
  await usual.destroy();
  load.release();
  for (let turn = 0; turn < 50 && !client.text.includes('"done":true'); turn += 1) {
    vi.advanceTimersByTime(10);
    await delay(10);
  }

  expect(client.text).toContain("HTTP/1.1 200 OK");
  expect(client.text).toContain('"done":true');
  // Nor was it sent again, unseen by the client, after a timeout.
  expect(requestsTo(sim.journal.events, "/api/chat").length).toBe(2);
});
