import { describe, expect, test } from "vitest";
import { answerChat, type ChatFacts } from "../../src/runtime/answer-chat.ts";
import type { FailureCode } from "../../src/runtime/failure-codes.ts";
import {
  failure,
  type GenerationOutcome,
  type GenerationRequest,
} from "../../src/runtime/generation.ts";
import { ProviderSwitch } from "../../src/runtime/provider-switch.ts";
import { DeterministicFallback } from "../../src/runtime/providers/fallback.ts";
import {
  type GenerateOptions,
  nothingMeasured,
  type Provider,
  type ProviderId,
  type ProviderStatus,
} from "../../src/runtime/providers/provider.ts";
import { logLines } from "../support/log-lines.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { aGeneration } from "./a-generation.ts";

/** A provider that does as the test says, and keeps what it was asked. */
class ScriptedProvider implements Provider {
  readonly id: ProviderId;
  readonly isConfigured = true;
  readonly problem = "it is as the test has it";
  readonly telemetry = nothingMeasured;
  status: ProviderStatus = "online";
  models: readonly string[];
  fails: FailureCode | null = null;
  /** What it has after it was asked anew. */
  pulled: readonly string[] = [];
  refreshes = 0;
  readonly asked: GenerateOptions[] = [];

  constructor(id: ProviderId, models: readonly string[]) {
    this.id = id;
    this.models = models;
  }

  defaultModel(isOn: (model: string) => boolean): string | null {
    return this.models.find(isOn) ?? null;
  }

  hasModel(model: string): boolean {
    return this.models.includes(model);
  }

  modelKey(model: string): string {
    return model.toLowerCase();
  }

  async refreshModels(): Promise<void> {
    this.refreshes += 1;
    this.models = [...this.models, ...this.pulled];
  }

  async generate(_: GenerationRequest, options: GenerateOptions): Promise<GenerationOutcome> {
    this.asked.push(options);
    if (this.fails !== null) return failure(this.fails, `${this.id} failed`);
    const usage = { prompt_tokens: 1, completion_tokens: 1 };
    const { model } = options;
    return { kind: "answered", content: `by ${this.id}`, model, usage, finishReason: "stop" };
  }
}

function scene() {
  const ollama = new ScriptedProvider("ollama", ["llama", "qwen"]);
  const nemoclaw = new ScriptedProvider("nemoclaw", ["nemotron"]);
  const providerSwitch = new ProviderSwitch({
    memory: new MemoryStore(),
    clock: new ManualClock(),
    log: logLines().log,
  });
  const providers = { ollama, nemoclaw, deterministic_fallback: new DeterministicFallback() };
  const chat = async (facts: Partial<ChatFacts> = {}, request: Partial<GenerationRequest> = {}) => {
    const { signal } = new AbortController();
    const common = { provider: null, model: null, jobType: null, client: "ann", signal };
    const deps = { providers, providerSwitch, largeTokens: 100 };
    return await answerChat(aGeneration(request), { ...common, ...facts }, deps);
  };
  return { ollama, nemoclaw, providerSwitch, chat };
}

const fallback = { content: "the usual" };
const by = { by: "ann", note: null };

describe("a chat for whom no provider is named", () => {
  test("is answered by the first in the order, with that one's model", async () => {
    const { chat, nemoclaw } = scene();

    expect(await chat()).toMatchObject({
      outcome: { content: "by ollama", model: "llama" },
      provider: "ollama",
      rule: "default",
      skipped: [],
    });
    expect(nemoclaw.asked).toEqual([]);
  });

  test("is answered by the next one after a failure that another may mend", async () => {
    const { chat, ollama } = scene();
    ollama.fails = "provider_failed";

    expect(await chat()).toMatchObject({
      outcome: { content: "by nemoclaw", model: "nemotron" },
      provider: "nemoclaw",
      skipped: [{ provider: "ollama", code: "provider_failed", reason: "ollama failed" }],
    });
  });

  test("ends with a failure that nobody else may mend", async () => {
    const { chat, nemoclaw, ollama } = scene();
    ollama.fails = "provider_refused";

    expect(await chat({}, { fallback })).toMatchObject({
      outcome: { code: "provider_refused", message: "ollama failed" },
      provider: "ollama",
      skipped: [],
    });
    expect(nemoclaw.asked).toEqual([]);
  });

  test("has the last failure, and before it the others, when all fail", async () => {
    const { chat, nemoclaw, ollama } = scene();
    ollama.fails = "provider_timeout";
    nemoclaw.fails = "rate_limited";

    expect(await chat()).toMatchObject({
      outcome: { code: "rate_limited", isPassing: true },
      provider: "nemoclaw",
      skipped: [{ provider: "ollama", code: "provider_timeout" }],
    });
    expect(await chat({}, { fallback })).toMatchObject({
      outcome: { content: "the usual" },
      provider: "deterministic_fallback",
      skipped: [{ provider: "ollama" }, { provider: "nemoclaw" }],
    });
  });

  test("waits for a provider only when nobody stands behind it", async () => {
    const { chat, nemoclaw, ollama } = scene();
    await chat();
    nemoclaw.status = "offline";
    await chat();
    await chat({}, { fallback });

    expect(ollama.asked.map(({ mayWait }) => mayWait)).toEqual([false, true, false]);
  });

  test("goes to nemoclaw when it is large, from one token above the bound on", async () => {
    const { chat } = scene();
    const of = (letters: number) => ({
      messages: [{ role: "user", content: "x".repeat(letters) }],
    });

    expect(await chat({}, of(400))).toMatchObject({ provider: "ollama", rule: "default" });
    expect(await chat({}, of(401))).toMatchObject({ provider: "nemoclaw", rule: "large" });
    expect(await chat({ jobType: "coding" })).toMatchObject({ rule: "coding" });
  });

  test("goes to whoever has the model that it names", async () => {
    const { chat, ollama } = scene();

    expect(await chat({ model: "nemotron" })).toMatchObject({
      outcome: { model: "nemotron" },
      provider: "nemoclaw",
      skipped: [
        {
          provider: "ollama",
          code: "model_not_found",
          reason: "it does not have the model 'nemotron'",
        },
      ],
    });
    expect(ollama.refreshes).toBe(0);
  });

  test("has everybody look once more for a model that nobody knows", async () => {
    const { chat, ollama } = scene();
    ollama.pulled = ["fresh"];

    expect(await chat({ model: "fresh" })).toMatchObject({ provider: "ollama" });
    expect(await chat({ model: "nope" })).toMatchObject({
      outcome: {
        code: "model_not_found",
        isPassing: false,
        message: expect.stringContaining("ollama: it does not have the model 'nope'"),
      },
      provider: null,
    });
    expect(await chat({ model: "nope" }, { fallback })).toMatchObject({
      provider: "deterministic_fallback",
    });
  });
});

describe("a chat for a provider that it names", () => {
  test("is answered by that one or by nobody", async () => {
    const { chat, nemoclaw, ollama } = scene();
    nemoclaw.fails = "provider_unavailable";

    expect(await chat({ provider: "nemoclaw" })).toMatchObject({
      outcome: { code: "provider_unavailable" },
      provider: "nemoclaw",
      rule: "explicit",
    });
    expect(ollama.asked).toEqual([]);
  });

  test("is answered by the fallback that it brings along", async () => {
    const { chat, nemoclaw } = scene();
    nemoclaw.fails = "provider_unavailable";

    expect(await chat({ provider: "nemoclaw" }, { fallback })).toMatchObject({
      outcome: { content: "the usual" },
      provider: "deterministic_fallback",
      skipped: [{ provider: "nemoclaw", code: "provider_unavailable" }],
    });
  });

  test("is let on with a model that it did not list, whatever that comes to", async () => {
    const { chat, ollama } = scene();

    await chat({ provider: "ollama", model: "alias" });

    expect(ollama.asked.map(({ model }) => model)).toEqual(["alias"]);
    expect(ollama.refreshes).toBe(0);
  });

  test("has the fallback by its name, and is told when it brings none", async () => {
    const { chat } = scene();
    const named = { provider: "deterministic_fallback", model: "qwen" } as const;

    expect(await chat(named, { fallback })).toMatchObject({ outcome: { content: "the usual" } });
    expect(await chat(named)).toMatchObject({ outcome: { code: "fallback_missing" } });
  });
});

describe("an operator's decision", () => {
  test("on the order holds at once, before the rule", async () => {
    const { chat, providerSwitch } = scene();
    await providerSwitch.setOrder(["nemoclaw", "ollama", "deterministic_fallback"], by);

    expect(await chat()).toMatchObject({ provider: "nemoclaw", rule: "operator_order" });
  });

  test("to switch a provider off holds for who names it too", async () => {
    const { chat, providerSwitch } = scene();
    await providerSwitch.setProvider("ollama", { enabled: false, models: [] }, by);

    expect(await chat()).toMatchObject({
      provider: "nemoclaw",
      skipped: [{ provider: "ollama", code: "switched_off" }],
    });
    expect(await chat({ provider: "ollama" })).toMatchObject({
      outcome: { code: "switched_off", isPassing: true },
      provider: null,
    });
  });

  test("to switch a model off holds under each of its names, and another one is offered", async () => {
    const { chat, providerSwitch } = scene();
    const llama = { key: "llama", name: "llama", isOn: false };
    await providerSwitch.setProvider("ollama", { models: [llama] }, by);

    expect(await chat()).toMatchObject({ outcome: { model: "qwen" } });
    expect(await chat({ provider: "ollama", model: "LLAMA" })).toMatchObject({
      outcome: { code: "switched_off" },
      skipped: [{ reason: "the model 'LLAMA' is switched off by the operator" }],
    });
  });
});
