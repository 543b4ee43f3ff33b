import { describe, expect, test } from "vitest";
import { requestsTo } from "../support/sim-ollama/journal-queries.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const chat = { model: "llama3.2", messages: [{ role: "user", content: "hi" }], stream: false };

const post = (url: string, body: unknown) =>
  fetch(url, { method: "POST", body: JSON.stringify(body) });

const health = async (url: string, query = "") => {
  const answer = await fetch(`${url}/healthz${query}`);
  const { degraded } = (await answer.json()) as { degraded: boolean };
  return { statusCode: answer.status, degraded };
};

describe("while the target is away", () => {
  test("U8 work waits and runs on its return, and nobody's request fails", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    await until("known", async () => (await fetch(`${foreman.url}/api/tags`)).ok);
    await sim.down();

    const waiting = [1, 2, 3].map(async () => await post(`${foreman.url}/api/chat`, chat));
    await until("degraded", async () => (await health(foreman.url)).degraded);
    await sim.up();
    const answers = await Promise.all(waiting);

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(requestsTo(sim.journal.events, "/api/chat").length).toBe(3);
  });

  test("P8 the inventory is served as last known, and health says so without failing", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_POLL_INTERVAL: "100ms" });
    await until("present", async () => !(await health(foreman.url)).degraded);
    const before = await (await fetch(`${foreman.url}/api/tags`)).text();

    await sim.down();
    await until("degraded", async () => (await health(foreman.url)).degraded);

    expect(await (await fetch(`${foreman.url}/api/tags`)).text()).toBe(before);
    expect(await (await fetch(foreman.url)).text()).toBe("Ollama is running");
    expect((await health(foreman.url)).statusCode).toBe(200);
    // One poll that was missed makes it degraded, the next one away.
    const required = () => health(foreman.url, "?require=target");
    await until("away", async () => (await required()).statusCode === 503);

    await sim.up();
    await until("recovered", async () => !(await health(foreman.url)).degraded);
    expect((await required()).statusCode).toBe(200);
  });

  test("the embedder is warmed at the start, and again before work is released", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, {
      FOREMAN_EMBED_MODEL: "nomic-embed-text",
      FOREMAN_POLL_INTERVAL: "100ms",
    });
    const warmed = () => requestsTo(sim.journal.events, "/api/embed").length;
    await until("warmed at start", () => warmed() === 1);

    await sim.down();
    await until("degraded", async () => (await health(foreman.url)).degraded);
    const waiting = post(`${foreman.url}/api/chat`, chat);
    await sim.up();
    await waiting;

    expect(warmed()).toBe(2);
    const [, rewarmed] = requestsTo(sim.journal.events, "/api/embed");
    const [chatted] = requestsTo(sim.journal.events, "/api/chat");
    expect(rewarmed?.seq).toBeLessThan(chatted?.seq ?? 0);
    expect(sim.loaded).toContain("nomic-embed-text:latest");
  });

  test("a foreman that starts without it knows the inventory of its last life", async () => {
    const sim = await startSim();
    const first = await startForeman(sim.url);
    const tags = await (await fetch(`${first.url}/api/tags`)).text();
    await until("written down", async () => (await first.stop()).length === 0);
    await sim.down();

    const second = await startForeman(sim.url, { FOREMAN_DB: first.databaseFile });

    expect(await (await fetch(`${second.url}/api/tags`)).text()).toBe(tags);
    expect(await (await fetch(`${second.url}/api/version`)).json()).toEqual({ version: "0.33.0" });
  });

  test("a foreman that never saw it says what is wrong, and takes chats all the same", async () => {
    const sim = await startSim();
    await sim.down();
    const foreman = await startForeman(sim.url, { FOREMAN_POLL_INTERVAL: "100ms" });

    const tags = await fetch(`${foreman.url}/api/tags`);
    const waiting = post(`${foreman.url}/api/chat`, chat);
    await sim.up();

    expect(tags.status).toBe(502);
    expect(await tags.text()).toMatch(/^\{"error":"Ollama has not been reached/);
    expect((await waiting).status).toBe(200);
  });

  test("a stream that it broke off ends visibly broken, with an error line", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 10, tokens: 50 }] });
    const foreman = await startForeman(sim.url);
    sim.fail({ route: "/api/chat", fault: { kind: "reset-after-tokens", tokens: 3 } });

    const answer = await post(`${foreman.url}/api/chat`, { ...chat, stream: true });
    let text = "";
    const reading = (async () => {
      for await (const piece of answer.body ?? []) text += Buffer.from(piece).toString();
    })();

    await expect(reading).rejects.toThrow();
    expect(text).toContain('{"error":"Ollama broke the answer off');
    expect(text).not.toContain('"done":true');
    expect(foreman.logged).toContainEqual(
      expect.objectContaining({ msg: "job failed", reason: "target_lost" }),
    );
  });

  test("a chat of which nothing was sent yet runs again, unseen by its client", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    sim.fail({ route: "/api/chat", times: 1, fault: { kind: "reset" } });

    const answer = await post(`${foreman.url}/api/chat`, chat);

    expect(answer.status).toBe(200);
    expect(requestsTo(sim.journal.events, "/api/chat").length).toBe(2);
  });

  test("a chat on which the target dies each time fails after FOREMAN_MAX_ATTEMPTS", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_MAX_ATTEMPTS: "2" });
    sim.fail({ route: "/api/chat", fault: { kind: "reset" } });

    const answer = await post(`${foreman.url}/api/chat`, chat);

    expect(answer.status).toBe(502);
    expect(await answer.text()).toMatch(/^\{"error":"Ollama broke the answer off/);
    expect(requestsTo(sim.journal.events, "/api/chat").length).toBe(2);
  });
});
