import { describe, expect, onTestFinished, test } from "vitest";
import { answerOf } from "../support/answer-of.ts";
import { RawClient } from "../support/raw-client.ts";
import { requestsTo, tokensSentAt } from "../support/sim-ollama/journal-queries.ts";
import { type SimOllama, startSimOllama } from "../support/sim-ollama/sim-ollama.ts";
import { type RunningForeman, startForeman } from "../support/start-foreman.ts";
import { until } from "../support/until.ts";
import { parseWireAnswer } from "../support/wire-answer.ts";

const models = [
  { name: "llama3.2", loadMs: 1 },
  { name: "other", loadMs: 1 },
];

function chat(content: string, model = "llama3.2") {
  return { model, messages: [{ role: "user", content }] };
}

async function start(settings: Readonly<Record<string, string>> = {}): Promise<{
  readonly sim: SimOllama;
  readonly foreman: RunningForeman;
}> {
  const sim = await startSimOllama({ models });
  onTestFinished(() => sim.stop());
  return { sim, foreman: await startForeman(sim.url, settings) };
}

describe("a stream", () => {
  // Journal and client read the same clock, performance.now() of this process.
  test("S1: hands on each line within 20 ms, as a chunk of its own", { retry: 1 }, async () => {
    const { foreman, sim } = await start();
    const body = chat("[[tokens=20]] [[token-ms=50]]");

    const client = new RawClient(foreman.port).post("/api/chat", body);
    await client.received('"done":true');

    const { chunks } = parseWireAnswer(client.text);
    const sentAtMs = tokensSentAt(sim.journal.events, idOf(sim, 0));
    const delaysMs = sentAtMs.map((sentMs, i) => client.arrivalMs(chunks[i] ?? "") - sentMs);
    expect(chunks.map((chunk) => chunk.indexOf("\n") + 1)).toEqual(chunks.map((c) => c.length));
    expect(delaysMs.length).toBe(20);
    expect(Math.max(...delaysMs)).toBeLessThan(20);
    expect(delaysMs.sort((a, b) => a - b)[10]).toBeLessThan(5);
  });

  test("S6: is cut after FOREMAN_STALL_TIMEOUT of silence, visibly", async () => {
    const { foreman, sim } = await start({ FOREMAN_STALL_TIMEOUT: "300ms" });
    sim.fail({ nth: 1, route: "/api/chat", fault: { kind: "stall-after-tokens", tokens: 3 } });

    const startedMs = performance.now();
    const answer = await answerOf(foreman.port, "/api/chat", chat("stall"));
    const tookMs = performance.now() - startedMs;

    expect(answer.isWhole).toBe(false);
    expect(answer.chunks.length).toBe(4);
    expect(JSON.parse(answer.chunks[3] ?? "").error).toContain("FOREMAN_STALL_TIMEOUT");
    expect(tookMs).toBeGreaterThanOrEqual(290);
    expect(tookMs).toBeLessThan(2_000);
    await next(foreman, sim);
  });

  test("S6: that never begins is answered 504 after FOREMAN_STALL_TIMEOUT", async () => {
    const { foreman, sim } = await start({ FOREMAN_STALL_TIMEOUT: "300ms" });
    sim.fail({ nth: 1, route: "/api/chat", fault: { kind: "stall" } });

    const answer = await answerOf(foreman.port, "/api/chat", chat("stall"));

    expect(answer.statusLine).toBe("HTTP/1.1 504 Gateway Timeout");
    expect(answer.isWhole).toBe(true);
    expect(JSON.parse(answer.body).error).toContain("FOREMAN_STALL_TIMEOUT");
    await next(foreman, sim);
  });

  test("S6: that is slow, but never silent for so long, is left alone", async () => {
    const { foreman } = await start({ FOREMAN_STALL_TIMEOUT: "300ms" });

    const body = chat("[[tokens=6]] [[token-ms=150]]");
    const answer = await answerOf(foreman.port, "/api/chat", body);

    expect(answer.isWhole).toBe(true);
    expect(answer.chunks.length).toBe(7);
  });
});

describe("a client that leaves", () => {
  test.each([
    ["closes", (client: RawClient) => client.leave()],
    ["vanishes", (client: RawClient) => client.vanish()],
  ])("S2: and %s mid-stream closes the target within 100 ms and frees the slot", async (_, go) => {
    const { foreman, sim } = await start();
    const client = new RawClient(foreman.port).post("/api/chat", chat("[[tokens=999]]"));
    await client.received('"done":false');

    const leftAtMs = performance.now();
    go(client);

    await until("the target's socket is closed", () => disconnectMs(sim, 0) !== null);
    expect((disconnectMs(sim, 0) ?? Infinity) - leftAtMs).toBeLessThan(100);
    await next(foreman, sim);
  });

  test("S2: before the headers closes the target within 100 ms and frees the slot", async () => {
    const { foreman, sim } = await start();
    sim.fail({ nth: 1, route: "/api/chat", fault: { kind: "stall" } });
    const client = new RawClient(foreman.port).post("/api/chat", chat("stall"));
    await until(
      "it is at the target",
      () => requestsTo(sim.journal.events, "/api/chat").length > 0,
    );

    const leftAtMs = performance.now();
    client.leave();

    await until("the target's socket is closed", () => disconnectMs(sim, 0) !== null);
    expect((disconnectMs(sim, 0) ?? Infinity) - leftAtMs).toBeLessThan(100);
    await next(foreman, sim);
  });

  test("S2: while it waits is cancelled unsent", async () => {
    const { foreman, sim } = await start();
    const stall = sim.fail({ nth: 1, route: "/api/chat", fault: { kind: "stall" } });
    const first = new RawClient(foreman.port).post("/api/chat", chat("first"));
    await until("it is at the target", () => stall.hitCount === 1);
    const second = new RawClient(foreman.port).post("/api/chat", chat("second", "other"));
    await until("it waits", () => count(foreman, "job queued") === 2);

    second.leave();
    await until("it is cancelled", () => count(foreman, "job cancelled") === 1);
    stall.release();
    await first.received('"done":true');

    await next(foreman, sim);
    expect(requestsTo(sim.journal.events, "/api/chat").map(({ model }) => model)).toEqual([
      "llama3.2",
      "llama3.2",
    ]);
  });
});

/** The slot is free: another chat is answered whole, without an overlap at the target. */
async function next(foreman: RunningForeman, sim: SimOllama): Promise<void> {
  const answer = await answerOf(foreman.port, "/api/chat", chat("next"));
  const kinds = sim.journal.events
    .map(({ kind }) => kind)
    .filter((kind) => kind === "generate-start" || kind === "generate-end");

  expect(answer.isWhole).toBe(true);
  expect(answer.body).toContain('"done":true');
  expect(kinds.slice(-2)).toEqual(["generate-start", "generate-end"]);
}

function idOf(sim: SimOllama, index: number): string {
  return requestsTo(sim.journal.events, "/api/chat")[index]?.requestId ?? "none";
}

function disconnectMs(sim: SimOllama, index: number): number | null {
  const id = idOf(sim, index);
  const seen = sim.journal.events.find((e) => e.kind === "disconnect" && e.requestId === id);
  return seen?.atMs ?? null;
}

function count(foreman: RunningForeman, message: string): number {
  return foreman.logged.filter(({ msg }) => msg === message).length;
}
