/**
 * Providers in front of real sockets: a simulated Ollama, which reads requests as Ollama does, and
 * a hosted server. What joins them is put together here as src/foreman.ts does it.
 */
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock as clock } from "../../src/clock.ts";
import { readConfig } from "../../src/config.ts";
import { Accounts } from "../../src/dispatch/accounts.ts";
import { Dispatcher } from "../../src/dispatch/dispatcher.ts";
import { Queue } from "../../src/queue/queue.ts";
import { answerChat, type ChatFacts } from "../../src/runtime/answer-chat.ts";
import { buildRuntime } from "../../src/runtime/build-runtime.ts";
import type { GenerationRequest } from "../../src/runtime/generation.ts";
import { WriteBehind } from "../../src/store/write-behind.ts";
import { Inventory } from "../../src/target/inventory.ts";
import { OllamaTarget } from "../../src/target/ollama-target.ts";
import { Poller } from "../../src/target/poller.ts";
import { Runners } from "../../src/target/runners.ts";
import { limits as scheduleLimits } from "../scheduler/scene.ts";
import { asked } from "../support/asked.ts";
import { logLines } from "../support/log-lines.ts";
import { MemoryStore } from "../support/memory-store.ts";
import type { SimOptions } from "../support/sim-ollama/sim-settings.ts";
import { always, startSimOpenai } from "../support/sim-openai.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";
import { aGeneration } from "./a-generation.ts";

async function scene(options: SimOptions = {}) {
  const [sim, hosted] = [await startSim(options), await startSimOpenai()];
  const config = readConfig({ NEMOCLAW_API_URL: hosted.url, NEMOCLAW_API_KEY: "k" });
  const { log } = logLines();
  const [store, inventory, random] = [new MemoryStore(), new Inventory(), () => 0];
  const target = new OllamaTarget({ origin: sim.url, token: null });
  const poller = new Poller({
    ...{ target, inventory, clock, log, random },
    intervalMs: 100,
    onReturn: async () => {},
    onChange: () => {
      runtime.ollama.noteTarget();
      dispatcher.tick();
    },
  });
  const runners = new Runners(inventory);
  const accounts = new Accounts(runners);
  const behind = new WriteBehind({ clock, log });
  const queue = new Queue({
    isModelMissing: () => false,
    topClassOf: () => "interactive",
    onEndedWaiting: () => {},
    ...{ ...config, store, behind, clock, log },
    depthMax: config.queueDepthMax,
    onJoined: (job) => accounts.joined(job),
    onLeft: (job) => accounts.left(job),
    onChange: () => dispatcher.tick(),
  });
  const pieces = { queue, store, target, inventory, poller, clock, random, log };
  const dispatcher = new Dispatcher({
    ...{ ...config, ...pieces, behind, runners, accounts, scheduleLimits },
    pauseOf: () => null,
    slotsOf: () => null,
    describeMissing: () => null,
    onLoaded: () => {},
    onEnded: (ended) => runtime.ollama.noteEnded(ended),
  });
  const runningCount = () => dispatcher.runningCount;
  const runtime = buildRuntime(config, { ...pieces, runningCount });
  onTestFinished(async () => {
    await poller.stop();
    await target.close();
    for (const part of runtime.parts) await part.stop();
  });
  await poller.refresh();
  for (const part of runtime.parts) await part.start?.();
  const areOnline = () =>
    [runtime.ollama, runtime.providers.nemoclaw].every(({ status }) => status === "online");
  await until("both are online", areOnline);
  const chat = async (facts: Partial<ChatFacts> = {}, request: Partial<GenerationRequest> = {}) => {
    const { signal } = new AbortController();
    const common = { provider: null, model: null, jobType: null, client: "ann", signal };
    const deps = { ...runtime, largeTokens: config.largeTokens };
    return await answerChat(aGeneration(request), { ...common, ...facts }, deps);
  };
  return { sim, hosted, poller, queue, runtime, chat };
}

const planner = { models: [{ name: "qwen3.6:35b-a3b" }] };

describe("a chat", () => {
  test("of the user's example is answered by Ollama, in the shape that it wants", async () => {
    const { chat, sim } = await scene(planner);

    const { outcome, provider } = await chat(
      { provider: "ollama", model: "qwen3.6:35b-a3b" },
      {
        messages: [
          { role: "system", content: "You are Oracle Planner." },
          { role: "user", content: "Build a CRM pipeline view for high-intent NRI buyers." },
        ],
        sampling: { temperature: 0.2 },
        responseFormat: { kind: "json" },
      },
    );

    expect([provider, outcome.kind]).toEqual(["ollama", "answered"]);
    expect(outcome).toMatchObject({ model: "qwen3.6:35b-a3b", finishReason: "stop" });
    if (outcome.kind === "answered") {
      expect(JSON.parse(outcome.content)).toBeTypeOf("object");
      expect(outcome.usage.completion_tokens).toBeGreaterThan(0);
    }
    expect(asked(sim).map(({ path }) => path)).toEqual(["/api/chat"]);
  });

  test("that Ollama refuses is told in its words", async () => {
    const { chat } = await scene(planner);

    expect(await chat({}, { think: true })).toMatchObject({
      outcome: {
        code: "provider_refused",
        message: '"qwen3.6:35b-a3b" does not support thinking',
      },
      provider: "ollama",
    });
  });

  test("that is large goes to nemoclaw, which waits for no GPU", async () => {
    const { chat, hosted } = await scene({ models: [{ name: "m", tokenMs: 50, tokens: 1_000 }] });
    const leaver = new AbortController();
    const occupies = chat({ signal: leaver.signal });
    const large = { messages: [{ role: "user", content: "x".repeat(32_001) }] };

    expect(await chat({}, large)).toMatchObject({ provider: "nemoclaw", rule: "large" });
    expect(hosted.chats).toHaveLength(1);
    leaver.abort();
    expect(await occupies).toMatchObject({ outcome: { code: "cancelled" } });
  });

  test("goes on to nemoclaw when Ollama dies over it, and to the fallback when that fails", async () => {
    const { chat, hosted, queue, sim } = await scene({
      models: [{ name: "m", tokenMs: 20, tokens: 500 }],
    });
    const fallback = { content: "the usual" };
    const running = chat({}, { fallback });
    await until("it runs", () => sim.journal.events.some(({ kind }) => kind === "token"));

    await sim.down();
    expect(await running).toMatchObject({
      provider: "nemoclaw",
      skipped: [{ provider: "ollama", code: "provider_unavailable" }],
    });
    expect(queue.depth).toBe(0);

    hosted.script = always("/v1/chat/completions", { kind: "answer", status: 500 });
    expect(await chat({}, { fallback })).toMatchObject({
      outcome: { content: "the usual" },
      provider: "deterministic_fallback",
      skipped: [{ provider: "ollama" }, { provider: "nemoclaw", code: "provider_failed" }],
    });
  });

  test("for Ollama alone waits until it is back", async () => {
    const { chat, poller, sim } = await scene(planner);
    await sim.down();
    await until("it is away", () => poller.state.presence === "away");

    const waiting = chat({ provider: "ollama" });
    await sim.up();

    expect(await waiting).toMatchObject({ outcome: { kind: "answered" }, provider: "ollama" });
  });

  test("S2: whose client goes is cut at the target within 100 ms", async () => {
    const { chat, sim } = await scene({ models: [{ name: "m", tokenMs: 20, tokens: 500 }] });
    const leaver = new AbortController();
    const running = chat({ signal: leaver.signal });
    await until("it runs", () => sim.journal.events.some(({ kind }) => kind === "token"));

    leaver.abort();
    expect(await running).toMatchObject({ outcome: { code: "cancelled" } });

    const isCut = () => sim.journal.events.some(({ kind }) => kind === "disconnect");
    await until("it is cut", isCut, 100);
  });
});
