import { describe, expect, test } from "vitest";
import { RawClient } from "../support/raw-client.ts";
import { maxConcurrent, overlaps, requestsTo } from "../support/sim-ollama/journal-queries.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const chat = (content: string, more: object = {}) => ({
  model: "llama3.2",
  messages: [{ role: "user", content }],
  ...more,
});

/** The same random numbers in each run. */
function* randomNumbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    yield state / 2 ** 31;
  }
}

describe("clients that leave", () => {
  test("free the slot within 100 ms while the model answers", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 20, tokens: 500 }] });
    const foreman = await startForeman(sim.url);
    const client = new RawClient(foreman.port).post("/api/chat", chat("a"));
    await client.received('"done":false');

    const leftAtMs = performance.now();
    client.leave();
    await until("cut", () => sim.journal.events.some(({ kind }) => kind === "disconnect"));

    const cut = sim.journal.events.find(({ kind }) => kind === "disconnect");
    expect((cut?.atMs ?? Infinity) - leftAtMs).toBeLessThan(100);
    await until("recorded", () => foreman.logged.some(({ msg }) => msg === "job cancelled"));
  });

  test("are never sent to the target when they leave while they wait", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 10, tokens: 30 }] });
    const foreman = await startForeman(sim.url);
    const first = new RawClient(foreman.port).post("/api/chat", chat("first"));
    await first.received('"done":false');
    const second = new RawClient(foreman.port).post("/api/chat", chat("second"));
    await until(
      "it waits",
      () => foreman.logged.filter(({ msg }) => msg === "job queued").length === 2,
    );

    second.leave();
    await first.received('"done":true');

    expect(requestsTo(sim.journal.events, "/api/chat").length).toBe(1);
    const { queue } = (await (await fetch(`${foreman.url}/healthz`)).json()) as { queue: object };
    expect(queue).toEqual({ waiting: 0, running: 0 });
  });

  test("abort the load that only they wait for", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", loadMs: 3_000 }] });
    const foreman = await startForeman(sim.url);
    const client = new RawClient(foreman.port).post("/api/chat", chat("a"));
    await until("it loads", () => sim.journal.events.some(({ kind }) => kind === "load-start"));

    client.vanish();
    await until("cut", () => sim.journal.events.some(({ kind }) => kind === "disconnect"), 500);

    expect(sim.journal.events.some(({ kind }) => kind === "generate-start")).toBe(false);
  });

  test("free the slot for the next one when they only shut their sending half", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 20, tokens: 500 }] });
    const foreman = await startForeman(sim.url);
    const client = new RawClient(foreman.port).post("/api/chat", chat("a"));
    await client.received('"done":false');

    client.socket.end();
    await client.over();

    const short = chat("b", { options: { num_predict: 1 }, stream: false });
    const answer = await fetch(`${foreman.url}/api/chat`, {
      method: "POST",
      body: JSON.stringify(short),
    });
    expect(answer.status).toBe(200);
  });

  test("leave no stuck slot and no overlap behind when 500 of them storm", async () => {
    const sim = await startSim({
      models: [{ name: "llama3.2", tokenMs: 1, tokens: 5, loadMs: 0 }],
    });
    const foreman = await startForeman(sim.url, { FOREMAN_LOG_LEVEL: "warn" });
    const random = randomNumbers(20_261_120);
    const storm = Array.from({ length: 500 }, async (_, i) => {
      const client = new RawClient(foreman.port).post("/api/chat", chat(`storm ${i}`));
      const stayMs = random.next().value * 1_500;
      const isPatient = i % 25 === 0;
      if (isPatient) return await client.received('"done":true', 15_000).then(() => client.leave());
      await new Promise((resolve) => setTimeout(resolve, stayMs));
      if (i % 2 === 0) client.leave();
      else client.vanish();
    });

    await Promise.all(storm);
    const answer = await fetch(`${foreman.url}/api/chat`, {
      method: "POST",
      body: JSON.stringify(chat("after the storm", { stream: false })),
    });

    expect(answer.status).toBe(200);
    expect(overlaps(sim.journal.events)).toEqual([]);
    expect(maxConcurrent(sim.journal.events, "generate")).toBe(1);
    const { queue } = (await (await fetch(`${foreman.url}/healthz`)).json()) as { queue: object };
    expect(queue).toEqual({ waiting: 0, running: 0 });
    expect(await foreman.stop()).toEqual([]);
  }, 60_000);
});
