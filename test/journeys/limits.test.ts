import { describe, expect, test } from "vitest";
import type { HealthDocument } from "../../src/wire/probes.ts";
import type { Status } from "../../src/wire/status.ts";
import { PausedReader } from "../support/paused-reader.ts";
import { RawClient } from "../support/raw-client.ts";
import { type RunningForeman, startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const chat = (content: string, more: object = {}) => ({
  model: "llama3.2",
  messages: [{ role: "user", content }],
  ...more,
});

const endless = { models: [{ name: "llama3.2", tokenMs: 20, tokens: 100_000 }] };

const post = (foreman: RunningForeman, body: object, path = "/api/chat") =>
  fetch(foreman.url + path, { method: "POST", body: JSON.stringify(body) });

const health = async ({ url }: RunningForeman) =>
  (await (await fetch(`${url}/healthz`)).json()) as HealthDocument;

/** A chat that holds the only slot until the test ends. */
async function occupy(foreman: RunningForeman): Promise<RawClient> {
  const client = new RawClient(foreman.port).post("/api/chat", chat("occupier"));
  return await client.received('"done":false');
}

describe("the queue's limits", () => {
  test("O1 turn the one past FOREMAN_QUEUE_MAX away in Ollama's words, with Retry-After", async () => {
    const sim = await startSim(endless);
    const foreman = await startForeman(sim.url, { FOREMAN_QUEUE_MAX: "2" });
    const occupier = await occupy(foreman);
    const waiting = [1, 2].map((i) => new RawClient(foreman.port).post("/api/chat", chat(`${i}`)));
    await until(
      "both wait",
      () => foreman.logged.filter(({ msg }) => msg === "job queued").length === 3,
    );

    const refused = await post(foreman, chat("one too many"));
    const openai = await post(foreman, chat("one too many"), "/v1/chat/completions");
    const ready = await fetch(`${foreman.url}/readyz`);

    const words = "server busy, please try again.  maximum pending requests exceeded";
    expect(refused.status).toBe(503);
    expect(await refused.json()).toEqual({ error: words });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(refused.headers.get("x-foreman-reason")).toMatch(/FOREMAN_QUEUE_MAX is 2$/);
    expect(openai.status).toBe(503);
    expect(await openai.json()).toMatchObject({ error: { message: words, type: "api_error" } });
    expect(ready.status).toBe(503);
    for (const client of [...waiting, occupier]) client.leave();
  });

  test("O1 turn a body away that would not fit beside those that wait", async () => {
    const sim = await startSim(endless);
    const foreman = await startForeman(sim.url, { FOREMAN_QUEUE_BYTES_MAX: "10k" });
    const occupier = await occupy(foreman);
    const waiting = new RawClient(foreman.port).post("/api/chat", chat("x".repeat(6_000)));
    await until(
      "it waits",
      () => foreman.logged.filter(({ msg }) => msg === "job queued").length === 2,
    );

    const heavy = await post(foreman, chat("x".repeat(6_000)));

    expect(heavy.status).toBe(503);
    for (const client of [waiting, occupier]) client.leave();
  });

  test("bound the bodies that are shown to readers who do not take them", async () => {
    const sim = await startSim(endless);
    const foreman = await startForeman(sim.url, { FOREMAN_QUEUE_BYTES_MAX: "70m" });
    const body = JSON.stringify(chat("x".repeat(20 * 2 ** 20)));
    const submitted = await fetch(`${foreman.url}/jobs`, { method: "POST", body });
    const { job_id: id } = (await submitted.json()) as { job_id: string };
    const path = `/jobs/${id}/request`;
    const statusOf = async () => {
      const { body: shown, status } = await fetch(foreman.url + path);
      await shown?.cancel();
      return status;
    };
    const readers = Array.from(
      { length: 3 },
      () => new PausedReader(foreman.port, "GET", path, ""),
    );

    await until("there is no room for one more", async () => (await statusOf()) === 503);
    for (const reader of readers) reader.resume();
    await until("they have it", () => readers.every(({ isClosed }) => isClosed));

    expect(readers.map(({ receivedBytes }) => receivedBytes > body.length)).not.toContain(false);
    expect(await statusOf()).toBe(200);
    await fetch(`${foreman.url}/jobs/${id}/cancel`, { method: "POST" });
  });

  test("end a wait at FOREMAN_QUEUE_TIMEOUT with a clear error, and no other", async () => {
    const sim = await startSim(endless);
    const foreman = await startForeman(sim.url, { FOREMAN_QUEUE_TIMEOUT: "200ms" });
    const occupier = await occupy(foreman);

    const late = await post(foreman, chat("late"));

    expect(late.status).toBe(503);
    expect(await late.json()).toEqual({
      error: "waited longer than FOREMAN_QUEUE_TIMEOUT (0.2 s)",
    });
    expect(occupier.isOver).toBe(false);
    occupier.leave();
  });

  test("cut a generation that is silent for FOREMAN_STALL_TIMEOUT, and free its slot", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_STALL_TIMEOUT: "300ms" });
    sim.fail({ route: "/api/chat", times: 1, fault: { kind: "stall" } });

    const stalled = await post(foreman, chat("stalled"));
    const whileStuck = await health(foreman);
    const next = await post(foreman, chat("next", { stream: false }));
    const after = await health(foreman);
    const { stalls } = (await (await fetch(`${foreman.url}/foreman/status`)).json()) as Status;

    expect(stalled.status).toBe(504);
    expect(await stalled.json()).toEqual({
      error: expect.stringContaining("FOREMAN_STALL_TIMEOUT"),
    });
    expect(next.status).toBe(200);
    expect(foreman.logged).toContainEqual(
      expect.objectContaining({ msg: "job failed", reason: "stalled" }),
    );
    expect(foreman.logged).toContainEqual(
      expect.objectContaining({ level: 50, msg: expect.stringContaining("generation hung") }),
    );
    // The target still answers its polls: without the stall nobody would see that it is stuck.
    const target = { presence: "present", stalled: 1, last_error: null };
    expect(whileStuck).toMatchObject({ status: "ok", degraded: true, target });
    expect(whileStuck.degraded_since).not.toBeNull();
    expect(after).toMatchObject({ degraded: false, degraded_since: null, target: { stalled: 0 } });
    expect(stalls).toMatchObject({ count: 1, in_a_row: 0, last: { model: "llama3.2" } });
  });

  test("cut a stream that falls silent half way so that it looks broken", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_STALL_TIMEOUT: "300ms" });
    sim.fail({ route: "/api/chat", times: 1, fault: { kind: "stall-after-tokens", tokens: 2 } });

    const client = new RawClient(foreman.port).post("/api/chat", chat("stalls"));
    await client.over();

    expect(client.text).toContain("was cut off");
    expect(client.text).not.toContain('"done":true');
    expect(client.text.endsWith("0\r\n\r\n")).toBe(false);
  });

  test("end a generation that runs past FOREMAN_RUN_TIMEOUT", async () => {
    const sim = await startSim(endless);
    const foreman = await startForeman(sim.url, { FOREMAN_RUN_TIMEOUT: "300ms" });

    const client = new RawClient(foreman.port).post("/api/chat", chat("for ever"));
    await client.over();

    expect(client.text).toContain("FOREMAN_RUN_TIMEOUT");
    expect(foreman.logged).toContainEqual(expect.objectContaining({ reason: "run_timeout" }));
  });
});
