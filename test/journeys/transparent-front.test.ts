/** The second phase of the seed: foreman as a working, transparent front, and beyond. */
import { describe, expect, test } from "vitest";
import { RawClient } from "../support/raw-client.ts";
import { maxConcurrent, overlaps, requestsTo } from "../support/sim-ollama/journal-queries.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const chat = (model = "llama3.2", content = "hello", more: object = {}) => ({
  model,
  messages: [{ role: "user", content }],
  ...more,
});

async function post(url: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  return await fetch(url, {
    method: "POST",
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
}

describe("foreman in front of Ollama", () => {
  test("serves tags and ps from its inventory, with the target's own bytes", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    await (await post(`${sim.url}/api/chat`, chat())).text();

    for (const path of ["/api/tags", "/v1/models", "/api/version"]) {
      const direct = await fetch(sim.url + path);
      const answer = await fetch(foreman.url + path);
      expect(await answer.text()).toBe(await direct.text());
      expect(answer.headers.get("content-type")).toBe(direct.headers.get("content-type"));
    }
    const polled = requestsTo(sim.journal.events, "/api/tags").length;
    for (let i = 0; i < 20; i++) await (await fetch(`${foreman.url}/api/tags`)).text();
    expect(requestsTo(sim.journal.events, "/api/tags").length).toBe(polled);
  });

  test("shows in ps what a chat has loaded as soon as the chat has ended", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);

    await (await post(`${foreman.url}/api/chat`, chat())).text();

    const ps = (await (await fetch(`${foreman.url}/api/ps`)).json()) as {
      models: { name: string }[];
    };
    expect(ps.models.map(({ name }) => name)).toEqual(["llama3.2:latest"]);
  });

  test("refuses an unknown model in Ollama's words, after asking the target once more", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const polls = () => requestsTo(sim.journal.events, "/api/tags").length;
    await until("the first poll", () => polls() === 1);

    const answer = await post(`${foreman.url}/api/chat`, chat("nope"));

    expect(answer.status).toBe(404);
    expect(await answer.text()).toBe(`{"error":"model 'nope' not found"}`);
    expect(polls()).toBe(2);
    expect(requestsTo(sim.journal.events, "/api/chat")).toEqual([]);
  });

  test("finds a model that was made behind its back", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    await (await fetch(`${foreman.url}/api/tags`)).text();
    await post(`${sim.url}/api/copy`, { source: "llama3.2", destination: "brand-new" });

    const answer = await post(
      `${foreman.url}/api/chat`,
      chat("brand-new", "hi", { stream: false }),
    );

    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ model: "brand-new", done: true });
  });

  test("passes NDJSON on line by line, each within 20 ms of leaving the target", async () => {
    const sim = await startSim({ models: [{ name: "slow", tokenMs: 40, tokens: 12 }] });
    const foreman = await startForeman(sim.url);
    const client = new RawClient(foreman.port).post("/api/chat", chat("slow"));

    await client.received('"done":true');

    const tokens = sim.journal.events.filter(({ kind }) => kind === "token");
    const delays = tokens.map(
      ({ atMs, text }) => client.arrivalMs(`"content":${JSON.stringify(text)}`) - atMs,
    );
    expect(client.text).toContain("Content-Type: application/x-ndjson\r\n");
    expect(tokens.length).toBe(12);
    expect(delays.toSorted((a, b) => a - b)[6]).toBeLessThan(20);
    client.leave();
  });

  test("lets embeddings run in parallel while chats never overlap at the target", async () => {
    const sim = await startSim({
      models: [
        { name: "llama3.2", tokenMs: 5, tokens: 20 },
        { name: "nomic-embed-text", capabilities: ["embedding"], tokenMs: 60, loadMs: 0 },
      ],
    });
    const foreman = await startForeman(sim.url);
    // Loaded beforehand: an embedder that loads beside a chat is the sim's load, not an overlap.
    const warm = { model: "nomic-embed-text", input: "warm" };
    await (await post(`${foreman.url}/api/embed`, warm)).text();

    const chats = Array.from({ length: 6 }, (_, i) =>
      post(`${foreman.url}/api/chat`, chat("llama3.2", `c${i}`)),
    );
    const embeds = Array.from({ length: 6 }, (_, i) =>
      post(`${foreman.url}/api/embed`, { model: "nomic-embed-text", input: `e${i}` }),
    );
    const answers = await Promise.all(
      [...chats, ...embeds].map(async (a) => [(await a).status, (await (await a).text()).length]),
    );

    expect(answers.every(([status]) => status === 200)).toBe(true);
    expect(maxConcurrent(sim.journal.events, "request", "/api/embed")).toBe(6);
    expect(maxConcurrent(sim.journal.events, "request", "/api/chat")).toBe(1);
    expect(overlaps(sim.journal.events)).toEqual([]);
  });

  test("runs as many chats at once as it has slots, of one model only", async () => {
    const sim = await startSim({
      models: ["a", "b"].map((name) => ({ name, tokenMs: 5, tokens: 10 })),
    });
    const foreman = await startForeman(sim.url, { FOREMAN_CHAT_SLOTS: "3" });

    const models = ["a", "a", "b", "a", "b", "a", "a", "b"];
    await Promise.all(
      models.map(
        async (model, i) =>
          await (await post(`${foreman.url}/api/chat`, chat(model, `${i}`))).text(),
      ),
    );

    expect(maxConcurrent(sim.journal.events, "generate")).toBe(3);
    expect(overlaps(sim.journal.events, 3)).toEqual([]);
  });

  test("tells job and wait on queued answers, and on no other", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);

    const queued = await post(`${foreman.url}/api/chat`, chat("llama3.2", "x", { stream: false }));
    const shown = await post(`${foreman.url}/api/show`, { model: "llama3.2" });

    expect(queued.headers.get("x-foreman-job")).toMatch(/^[0-9A-Z]{26}$/);
    expect(Number(queued.headers.get("x-foreman-queued-ms"))).toBeGreaterThanOrEqual(0);
    expect([...shown.headers.keys()].filter((name) => name.startsWith("x-foreman"))).toEqual([]);
  });

  test("gives its own keep_alive to requests without one, and leaves the others alone", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_KEEP_ALIVE: "30m" });
    const bodyOf = async (body: object) => {
      await (await post(`${foreman.url}/api/chat`, body)).text();
      return requestsTo(sim.journal.events, "/api/chat").at(-1)?.bodyBytes;
    };

    const spliced = await bodyOf(chat());
    const left = await bodyOf(chat("llama3.2", "hello", { keep_alive: 5 }));

    expect(spliced).toBe(JSON.stringify(chat()).length + '"keep_alive":"30m",'.length);
    expect(left).toBe(JSON.stringify(chat("llama3.2", "hello", { keep_alive: 5 })).length);
  });

  test("lets an unload go past a running chat, as Ollama does", async () => {
    const sim = await startSim({ models: [{ name: "long", tokenMs: 20, tokens: 200 }] });
    const foreman = await startForeman(sim.url);
    const running = new AbortController();
    void post(`${foreman.url}/api/chat`, chat("long"), running.signal).catch(() => {});
    await until("the chat runs", () => sim.journal.events.some(({ kind }) => kind === "token"));

    const unload = await post(`${foreman.url}/api/generate`, { model: "long", keep_alive: 0 });

    expect(await unload.json()).toMatchObject({ done: true, done_reason: "unload" });
    expect(sim.journal.events.some(({ kind }) => kind === "generate-end")).toBe(false);
    running.abort();
  });
});
