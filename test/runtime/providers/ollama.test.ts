/** The queue, the scheduler, the dispatcher and the poller are the real ones; the target is not. */
import { describe, expect, test } from "vitest";
import type { GenerationRequest } from "../../../src/runtime/generation.ts";
import { OllamaProvider } from "../../../src/runtime/providers/ollama.ts";
import type { GenerateOptions } from "../../../src/runtime/providers/provider.ts";
import { dispatchScene, finish } from "../../dispatch/dispatch-scene.ts";
import { aGeneration } from "../a-generation.ts";

type Facts = { readonly depthMax?: number; readonly answerBytesMax?: number };

function scene({ answerBytesMax = 10_000, depthMax = 100 }: Facts = {}) {
  const around = dispatchScene({
    depthMax,
    onChange: () => ollama.noteTarget(),
    onEnded: (ended) => ollama.noteEnded(ended),
  });
  const { dispatcher } = around;
  const ollama = new OllamaProvider({
    ...around,
    runningCount: () => dispatcher.runningCount,
    keepAlive: null,
    answerBytesMax,
  });
  const asks = async (
    options: Partial<GenerateOptions> = {},
    request: Partial<GenerationRequest> = {},
  ) => {
    const common = { model: "m", client: "ann", mayWait: true };
    const { signal } = new AbortController();
    return await ollama.generate(aGeneration(request), { ...common, signal, ...options });
  };
  /** A chat that somebody else has in the one slot. */
  const occupied = async () => {
    around.submitted({ client: "bob" });
    await around.clock.settle();
    return around.chats()[0];
  };
  return { ...around, ollama, asks, occupied };
}

async function presentScene(facts: Facts = {}) {
  const made = scene(facts);
  await made.poller.refresh();
  await made.clock.settle();
  return made;
}

const line = (content: string) => `${JSON.stringify({ message: { content } })}\n`;
const last = '{"model":"m:latest","done":true,"done_reason":"stop","prompt_eval_count":4}\n';

describe("a chat that Ollama answers", () => {
  test("is put together out of its stream, and was asked for as Ollama has it", async () => {
    const { asks, chats, clock } = await presentScene();

    const asking = asks({}, { sampling: { temperature: 0 } });
    await clock.settle();
    const [asked] = chats();
    asked?.head().chunk(line("Hel")).chunk(line("lo")).chunk(last).end();

    expect(await asking).toEqual({
      kind: "answered",
      content: "Hello",
      model: "m:latest",
      usage: { prompt_tokens: 4, completion_tokens: null },
      finishReason: "stop",
      wait: { jobId: expect.stringMatching(/^[0-9A-Z]{26}$/), queuedMs: expect.any(Number) },
    });
    expect(JSON.parse(asked?.bodyText ?? "")).toEqual({
      model: "m",
      messages: [{ role: "user", content: "Show overdue follow-ups." }],
      stream: true,
      options: { temperature: 0 },
    });
  });

  test("waits its turn behind whoever came before", async () => {
    const { asks, chats, clock, occupied, ollama } = await presentScene();
    const other = await occupied();
    const asking = asks();
    await clock.settle();

    expect(chats()).toHaveLength(1);
    expect(ollama.telemetry.queue_depth).toBe(2);
    if (other) finish(other);
    await clock.advance(100);
    finish(chats()[1] ?? expect.fail("it was not asked"));

    expect(await asking).toMatchObject({ kind: "answered" });
    expect(ollama.telemetry.queue_depth).toBe(0);
  });

  test("U8: is asked for again when its target was lost, and nothing is told twice", async () => {
    const { asks, chats, clock, poller } = await presentScene();
    const asking = asks({ mayWait: false });
    await clock.settle();
    chats()[0]?.head().chunk(line("once "));
    chats()[0]?.fail("lost");
    await poller.refresh();
    await clock.settle();
    chats()[1]?.head().chunk(line("again")).chunk(last).end();

    expect(await asking).toMatchObject({ kind: "answered", content: "again" });
  });

  test("of the cloud does not wait for the slot", async () => {
    const { asks, chats, clock, occupied } = await presentScene();
    await occupied();
    const asking = asks({ model: "glm:cloud" });
    await clock.settle();
    chats()[1]?.head().chunk(line("from afar")).chunk(last).end();

    expect(await asking).toMatchObject({ content: "from afar" });
  });
});

describe("a chat that Ollama does not answer", () => {
  test.each([
    [400, '{"error":"\\"m\\" does not support thinking"}', "provider_refused"],
    [404, '{"error":"model \'m\' not found"}', "model_not_found"],
    [429, '{"error":"slow down"}', "rate_limited"],
    [500, '{"error":"CUDA out of memory"}', "provider_failed"],
    [503, '{"error":"server busy"}', "provider_unavailable"],
    [401, '{"error":"unauthorized"}', "provider_misconfigured"],
  ])("but with %i fails with its words", async (statusCode, body, code) => {
    const { asks, chats, clock } = await presentScene();
    const asking = asks();
    await clock.settle();
    chats()[0]?.head({ statusCode, contentType: "application/json" }).chunk(body).end();

    const words = (JSON.parse(body) as { error: string }).error;
    expect(await asking).toMatchObject({ kind: "failed", code });
    expect(await asking).toHaveProperty("message", expect.stringContaining(words));
  });

  test("U11: but breaks off is a failure, with or without words", async () => {
    const { asks, chats, clock } = await presentScene();
    const cut = asks();
    await clock.settle();
    chats()[0]?.head().chunk(line("half")).end();
    expect(await cut).toMatchObject({ code: "provider_failed" });

    const told = asks();
    await clock.advance(100);
    chats()[1]?.head().chunk(line("half")).chunk('{"error":"runner gone"}\n').end();
    expect(await told).toHaveProperty("message", expect.stringContaining("runner gone"));
  });

  test("is told of an unknown model in Ollama's words, after one more look", async () => {
    const { asks, chats, target } = await presentScene();
    const looks = target.askedOf("/api/tags").length;

    expect(await asks({ model: "nope" })).toMatchObject({
      code: "model_not_found",
      message: "model 'nope' not found",
    });
    expect(target.askedOf("/api/tags").length).toBe(looks + 1);
    expect(chats()).toEqual([]);
  });

  test("O1: is turned away when the queue is full, and while foreman goes", async () => {
    const { asks, occupied, queue, submitted } = await presentScene({ depthMax: 1 });
    await occupied();
    submitted();

    expect(await asks()).toMatchObject({ code: "provider_busy", retryAfterMs: 10_000 });
    queue.drain();
    expect(await asks()).toMatchObject({ code: "draining", isPassing: true });
  });

  test("is cut off past FOREMAN_ANSWER_MAX, and not at it", async () => {
    const answer = line("x".repeat(100)) + last;
    const answerBytesMax = Buffer.byteLength(answer);
    const { asks, chats, clock } = await presentScene({ answerBytesMax });
    const fits = asks();
    await clock.settle();
    chats()[0]?.head().chunk(answer).end();
    expect(await fits).toMatchObject({ kind: "answered" });

    const grows = asks();
    await clock.advance(100);
    chats()[1]?.head().chunk(answer).chunk(" ");

    expect(await grows).toMatchObject({ code: "answer_too_large", isPassing: false });
    expect(chats()[1]?.isAborted).toBe(true);
  });

  test("S2: is cancelled unsent when whoever asked goes, or cut at the target", async () => {
    const { asks, chats, clock, queue } = await presentScene();
    const leaver = new AbortController();
    const running = asks({ signal: leaver.signal });
    await clock.settle();
    const waiting = asks({ signal: leaver.signal });
    await clock.settle();

    leaver.abort();

    expect(await running).toMatchObject({ code: "cancelled" });
    expect(await waiting).toMatchObject({ code: "cancelled" });
    expect(chats().map(({ isAborted }) => isAborted)).toEqual([true]);
    await clock.advance(100);
    expect(queue.depth).toBe(0);
    expect(chats()).toHaveLength(1);
  });
});

describe("a chat while Ollama is away", () => {
  test("fails at once if it may not wait, and says why", async () => {
    const { asks, clock, polled, poller } = await presentScene();
    polled.missing = "unreachable";
    await poller.refresh();
    await clock.settle();

    expect(await asks({ mayWait: false })).toMatchObject({
      code: "provider_unavailable",
      isPassing: true,
      message: "Ollama is away: /api/version: the target is unreachable",
    });
  });

  test("waits for it if it may, and is answered on its return", async () => {
    const { asks, chats, clock, polled, poller } = await presentScene();
    polled.missing = "unreachable";
    await poller.refresh();
    const asking = asks();
    await clock.advance(60_000);
    expect(chats()).toEqual([]);

    polled.missing = null;
    await clock.advance(10_000);
    finish(chats()[0] ?? expect.fail("it was not asked"));

    expect(await asking).toMatchObject({ kind: "answered" });
  });

  test("leaves the queue when it goes away meanwhile, if somebody else may answer", async () => {
    const { asks, clock, occupied, polled, poller, queue } = await presentScene();
    await occupied();
    const impatient = asks({ mayWait: false });
    let isOver = false;
    const patient = asks();
    void patient.then(() => {
      isOver = true;
    });
    await clock.settle();

    polled.missing = "unreachable";
    await poller.refresh();
    await clock.settle();

    expect(await impatient).toMatchObject({ code: "provider_unavailable" });
    expect(isOver).toBe(false);
    expect(queue.depth).toBe(1);
  });

  test("leaves the queue too when it was the one to find nobody there", async () => {
    const { asks, chats, clock, polled, queue } = await presentScene();
    const asking = asks({ mayWait: false });
    await clock.settle();
    polled.missing = "unreachable";
    chats()[0]?.fail("unreachable", "connect ECONNREFUSED");

    expect(await asking).toMatchObject({
      code: "provider_unavailable",
      message: "Ollama is away: connect ECONNREFUSED",
    });
    await clock.settle();
    expect(queue.depth).toBe(0);
    polled.missing = null;
    await clock.advance(60_000);
    expect(chats()).toHaveLength(1);
  });
});

describe("what is known of Ollama", () => {
  const models = [
    { name: "chat:latest", digest: "d1", capabilities: ["completion", "tools"] },
    { name: "embedder:latest", digest: "d2", capabilities: ["embedding"] },
    { name: "old:latest", digest: "d3" },
    { name: "old-embedder:latest", digest: "d4", details: { family: "nomic-bert" } },
  ];

  test("are the models that can chat", async () => {
    const { clock, ollama, polled, poller } = scene();
    polled.models = models;
    await poller.refresh();
    await clock.settle();

    expect(ollama.models).toEqual(["chat:latest", "old:latest"]);
    expect(ollama.hasModel("Chat")).toBe(true);
    expect(ollama.hasModel("nope")).toBe(false);
    expect(ollama.modelKey("CHAT")).toBe(ollama.modelKey("library/chat:latest"));
  });

  test("is a loaded model for who names none, among those that are on", async () => {
    const { clock, ollama, polled, poller } = scene();
    polled.models = models;
    await poller.refresh();
    await clock.settle();
    expect(ollama.defaultModel(() => true)).toBe("chat:latest");

    polled.loaded = [{ name: "old:latest", digest: "d3" }];
    await poller.refresh();
    await clock.settle();

    expect(ollama.defaultModel(() => true)).toBe("old:latest");
    expect(ollama.defaultModel((name) => name !== "old:latest")).toBe("chat:latest");
    expect(ollama.defaultModel(() => false)).toBeNull();
  });

  test("is that it is online, or since when not and why", async () => {
    const { clock, ollama, polled, poller } = scene();
    expect(ollama.status).toBe("offline");
    await poller.refresh();
    await clock.settle();
    expect([ollama.status, ollama.problem]).toEqual(["online", null]);

    polled.missing = "unreachable";
    await poller.refresh();
    expect(ollama.status).toBe("offline");
    expect(ollama.problem).toBe("/api/version: the target is unreachable");

    polled.missing = null;
    await clock.advance(10_000);
    expect(ollama.status).toBe("degraded");
    await clock.advance(30_000);
    expect(ollama.status).toBe("online");
  });

  test("counts what everybody asked it, and whose fault a failure was", async () => {
    const { chats, clock, ollama, submitted } = await presentScene();
    submitted();
    await clock.advance(2_000);
    const loaded = '{"done":true,"load_duration":1000000000,"eval_count":50}\n';
    chats()[0]?.head().chunk(loaded).end();
    expect(ollama.telemetry).toMatchObject({
      latency_ms: { p50: 2_000 },
      tokens_per_second: 50,
      error_rate: 0,
    });

    submitted();
    await clock.advance(100);
    chats()[1]?.head({ statusCode: 400 }).end();
    expect(ollama.telemetry.error_rate).toBe(0);
    submitted();
    await clock.advance(100);
    chats()[2]?.head({ statusCode: 500 }).end();
    expect(ollama.telemetry).toMatchObject({
      error_rate: 0.5,
      last_error: "the target answered 500",
    });
  });
});
