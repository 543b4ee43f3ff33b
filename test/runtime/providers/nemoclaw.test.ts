/** Against a real HTTP server; time stands still unless a test moves it or waits for an answer. */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { GenerationRequest } from "../../../src/runtime/generation.ts";
import { NemoclawProvider } from "../../../src/runtime/providers/nemoclaw.ts";
import { freePort } from "../../support/free-port.ts";
import { logLines } from "../../support/log-lines.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { always, first, type OpenaiFault, startSimOpenai } from "../../support/sim-openai.ts";
import { until } from "../../support/until.ts";
import { aGeneration } from "../a-generation.ts";

type Facts = Partial<ConstructorParameters<typeof NemoclawProvider>[0]>;

const chats = "/v1/chat/completions";
const key = "sk-s3cret";
const status = (code: number, body = "", headers: Record<string, string> = {}): OpenaiFault => ({
  kind: "answer",
  status: code,
  body,
  headers,
});

/** The provider in front of that server; it retries at once, and is not started. */
function providerFor(url: string, facts: Facts = {}) {
  const clock = new ManualClock();
  const { lines, log } = logLines();
  const provider = new NemoclawProvider({
    baseUrl: `${url}/v1`,
    key,
    models: [],
    concurrency: 4,
    depthMax: 100,
    timeoutMs: 60_000,
    answerBytesMax: 2 ** 20,
    clock,
    random: () => 0,
    log,
    ...facts,
  });
  onTestFinished(() => provider.stop());
  const asks = (request: Partial<GenerationRequest> = {}, more: { signal?: AbortSignal } = {}) =>
    provider.generate(aGeneration(request), {
      model: "nemotron",
      client: "ann",
      signal: new AbortController().signal,
      mayWait: false,
      ...more,
    });
  return { provider, clock, lines, asks };
}

async function scene(facts: Facts = {}) {
  const sim = await startSimOpenai();
  return { sim, ...providerFor(sim.url, facts) };
}

describe("nemoclaw", () => {
  test("is asked as OpenAI's API has it, and answers with what it counted", async () => {
    const { asks, sim } = await scene();

    const outcome = await asks({
      sampling: { temperature: 0.2, top_p: 0.5, max_tokens: 9, seed: 1, stop: ["x"] },
      options: { num_ctx: 4096 },
      think: true,
      responseFormat: { kind: "json" },
    });

    expect(outcome).toEqual({
      kind: "answered",
      content: "you said: Show overdue follow-ups.",
      model: "nemotron",
      usage: { prompt_tokens: 11, completion_tokens: 5 },
      finishReason: "stop",
    });
    expect(sim.asked).toEqual([
      {
        method: "POST",
        path: chats,
        authorization: `Bearer ${key}`,
        body: {
          model: "nemotron",
          messages: [{ role: "user", content: "Show overdue follow-ups." }],
          stream: false,
          temperature: 0.2,
          top_p: 0.5,
          max_tokens: 9,
          seed: 1,
          stop: ["x"],
          response_format: { type: "json_object" },
        },
      },
    ]);
  });

  test("is given a schema in OpenAI's wrapping, and no header without a key", async () => {
    const { asks, sim } = await scene({ key: null });
    const schema = { type: "object", required: ["a"] };

    await asks({ responseFormat: { kind: "schema", schema } });

    expect(sim.chats[0]).toMatchObject({
      authorization: null,
      body: { response_format: { type: "json_schema", json_schema: { name: "answer", schema } } },
    });
  });

  test("is shown images as parts of their message", async () => {
    const { asks, sim } = await scene();
    const images = ["iVBORw0KGgoAAA==", "/9j/AAAA"];

    await asks({ messages: [{ role: "user", content: "What is this?", images }] });

    expect(sim.chats[0]?.body?.messages).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "What is this?" },
          { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgoAAA==" } },
          { type: "image_url", image_url: { url: "data:image/jpeg;base64,/9j/AAAA" } },
        ],
      },
    ]);
  });

  test.each<[string, OpenaiFault]>([
    ["429", status(429)],
    ["500", status(500)],
    ["503", status(503, "", { "Retry-After": "0" })],
    ["a reset before the answer", { kind: "reset" }],
    ["a reset in the answer", { kind: "cut" }],
  ])("U7: is asked again after %s", async (_, fault) => {
    const { asks, sim } = await scene();
    sim.script = first(chats, fault, fault);

    expect(await asks()).toMatchObject({ kind: "answered" });
    expect(sim.chats).toHaveLength(3);
  });

  test.each<[string, OpenaiFault, string, number]>([
    ["400", status(400, '{"error":{"message":"too long"}}'), "provider_refused", 1],
    ["401", status(401, '{"error":{"message":"bad key"}}'), "provider_misconfigured", 1],
    ["404 of a model", status(404, '{"error":"no model nemotron"}'), "model_not_found", 1],
    ["404 of a route", status(404, "<html>"), "provider_misconfigured", 1],
    ["429", status(429), "rate_limited", 3],
    ["500", status(500), "provider_failed", 3],
    ["503", status(503), "provider_unavailable", 3],
    ["504", status(504), "provider_timeout", 3],
    ["a reset", { kind: "reset" }, "provider_unavailable", 3],
    ["a page", status(200, "<html>sign in</html>"), "provider_failed", 1],
    ["an empty list", status(200, '{"choices":[]}'), "provider_failed", 1],
    ["no text", status(200, '{"choices":[{"message":{}}]}'), "provider_failed", 1],
  ])("fails on %s that does not pass with the code for it", async (_, fault, code, tries) => {
    const { asks, sim } = await scene();
    sim.script = always(chats, fault);

    expect(await asks()).toMatchObject({ kind: "failed", code });
    expect(sim.chats).toHaveLength(tries);
  });

  test("U1: is unavailable where nobody listens", async () => {
    const { asks } = providerFor(`http://127.0.0.1:${await freePort()}`);

    const outcome = await asks();

    expect(outcome).toMatchObject({ code: "provider_unavailable", isPassing: true });
    expect(outcome).toHaveProperty("message", expect.stringContaining("ECONNREFUSED"));
  });

  test("U6: is not followed where it redirects to, and the key stays here", async () => {
    const thief = await startSimOpenai();
    const { asks, sim } = await scene();
    const headers = { Location: `${thief.url}/v1/chat/completions` };
    sim.script = always(chats, { kind: "answer", status: 307, headers });

    const outcome = await asks();

    expect(outcome).toMatchObject({ code: "provider_misconfigured", isPassing: false });
    expect(outcome).toHaveProperty("message", expect.stringContaining("NEMOCLAW_API_URL"));
    expect(thief.asked).toEqual([]);
  });

  test("A4: that repeats the key has it blotted out, in the answer and in the log", async () => {
    const { asks, lines, provider, sim } = await scene();
    sim.script = () => status(401, `{"error":"you sent Bearer ${key}"}`);

    const outcome = await asks();
    await provider.refreshModels();

    expect(outcome).toHaveProperty("message", expect.stringContaining("you sent Bearer [key]"));
    expect(JSON.stringify([outcome, lines, provider.telemetry, provider.problem])).not.toContain(
      key,
    );
    expect(lines.length).toBeGreaterThan(0);
  });

  test("fails on an answer past the bound, and answers one at it", async () => {
    const small = await scene({ answerBytesMax: 2_000 });
    const padded = (bytes: number) => {
      const text = '{"choices":[{"message":{"content":"x"}}]}';
      return status(200, text.padEnd(bytes, " "));
    };

    small.sim.script = always(chats, padded(2_000));
    expect(await small.asks()).toMatchObject({ kind: "answered" });
    small.sim.script = always(chats, padded(2_001));
    expect(await small.asks()).toMatchObject({ code: "answer_too_large", isPassing: false });
  });

  test("is given up after FOREMAN_NEMOCLAW_TIMEOUT, and not asked again", async () => {
    const { asks, clock, sim } = await scene({ timeoutMs: 5_000 });
    sim.script = always(chats, { kind: "hang" });

    const asking = asks();
    await until("it is asked", () => sim.chats.length === 1);
    await clock.advance(4_999);
    expect(sim.abandoned).toBe(0);
    await clock.advance(1);

    expect(await asking).toMatchObject({ code: "provider_timeout", isPassing: true });
    await until("the connection is closed", () => sim.abandoned === 1);
    expect(sim.chats).toHaveLength(1);
  });
});

describe("nemoclaw's line", () => {
  test("lets so many through at once, and the next when one is done", async () => {
    const { asks, provider, sim } = await scene({ concurrency: 2 });
    const gate = Promise.withResolvers<void>();
    sim.gate = gate.promise;

    const asking = Array.from({ length: 5 }, () => asks());
    await until("two run", () => sim.running === 2);
    expect(provider.telemetry.queue_depth).toBe(5);
    gate.resolve();

    expect((await Promise.all(asking)).map(({ kind }) => kind)).toEqual(Array(5).fill("answered"));
    expect(sim.runningMax).toBe(2);
    expect(provider.telemetry.queue_depth).toBe(0);
  });

  test("O1: is full at its bound", async () => {
    const { asks, sim } = await scene({ concurrency: 1, depthMax: 2 });
    const gate = Promise.withResolvers<void>();
    sim.gate = gate.promise;

    const taken = [asks(), asks()];
    const refused = await asks();
    gate.resolve();

    expect(refused).toMatchObject({ code: "provider_busy", isPassing: true });
    expect((await Promise.all(taken)).map(({ kind }) => kind)).toEqual(["answered", "answered"]);
  });

  test("S2: is left by who goes, waiting or running", async () => {
    const { asks, provider, sim } = await scene({ concurrency: 1 });
    sim.script = always(chats, { kind: "hang" });
    const leaver = new AbortController();
    const running = asks({}, { signal: leaver.signal });
    const waiting = asks({}, { signal: leaver.signal });
    await until("it runs", () => sim.chats.length === 1);

    leaver.abort();

    expect(await running).toMatchObject({ code: "cancelled" });
    expect(await waiting).toMatchObject({ code: "cancelled" });
    await until("the connection is closed", () => sim.abandoned === 1);
    expect(sim.chats).toHaveLength(1);
    expect(provider.telemetry).toMatchObject({ queue_depth: 0, error_rate: 0 });
  });

  test("is cleared when foreman stops", async () => {
    const { asks, provider, sim } = await scene();
    sim.script = always(chats, { kind: "hang" });
    const running = asks();
    await until("it runs", () => sim.chats.length === 1);

    await provider.stop();

    expect(await running).toMatchObject({ code: "cancelled" });
    expect(await asks()).toMatchObject({ code: "cancelled" });
  });
});

describe("nemoclaw that asks to be left alone", () => {
  test("has its place free for others when who waits for the retry has gone", async () => {
    const { asks, sim } = await scene({ concurrency: 1 });
    sim.script = first(chats, status(429, "", { "Retry-After": "5" }));
    const leaver = new AbortController();
    const left = asks({}, { signal: leaver.signal });
    await until("it was asked", () => sim.chats.length === 1);
    // Nothing tells from outside that the refusal was read and the retry waits.
    await delay(100);

    const startedAtMs = performance.now();
    leaver.abort();

    expect(await left).toMatchObject({ code: "cancelled" });
    expect(await asks()).toMatchObject({ kind: "answered" });
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  });

  test("for a second is asked again after it, and not before", async () => {
    const { asks, sim } = await scene();
    sim.script = first(chats, status(429, "", { "Retry-After": "1" }));

    const startedAtMs = performance.now();
    expect(await asks()).toMatchObject({ kind: "answered" });
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(990);
  });

  test.each(["30", new Date(1_800_000_001_000 + 30_000).toUTCString()])(
    "for half a minute (Retry-After: %s) is not asked until then, and says when",
    async (retryAfter) => {
      const { asks, clock, sim } = await scene();
      sim.script = first(chats, status(429, "", { "Retry-After": retryAfter }));

      expect(await asks()).toMatchObject({ code: "rate_limited", retryAfterMs: 30_000 });
      await clock.advance(10_000);
      expect(await asks()).toMatchObject({ code: "rate_limited", retryAfterMs: 20_000 });
      expect(sim.chats).toHaveLength(1);
      await clock.advance(20_000);

      expect(await asks()).toMatchObject({ kind: "answered" });
    },
  );

  test("is not asked by those who waited behind whoever was told so", async () => {
    const { asks, sim } = await scene({ concurrency: 1 });
    sim.script = always(chats, status(429, "", { "Retry-After": "30" }));

    const outcomes = await Promise.all([asks(), asks(), asks()]);

    expect(outcomes.map((each) => each.kind === "failed" && each.code)).toEqual([
      ...["rate_limited", "rate_limited", "rate_limited"],
    ]);
    expect(sim.chats).toHaveLength(1);
  });

  test("repeats nobody's prompt to others, and is no failure of theirs", async () => {
    const { asks, sim } = await scene();
    const words = '{"error":{"message":"choked on: my secret","code":"overloaded"}}';
    sim.script = always(chats, status(500, words, { "Retry-After": "30" }));

    expect(await asks()).toMatchObject({ code: "provider_failed" });
    const other = await asks();

    expect(other).toMatchObject({ code: "provider_unavailable", isPassing: true });
    expect(other).toMatchObject({ message: expect.stringContaining("500 (overloaded)") });
    expect(JSON.stringify(other)).not.toContain("secret");
  });

  test("is asked by others after a refusal of one request, whatever that says", async () => {
    const { asks, sim } = await scene();
    sim.script = first(chats, status(400, "", { "Retry-After": "30" }));

    expect(await asks()).toMatchObject({ code: "provider_refused" });
    expect(await asks()).toMatchObject({ kind: "answered" });
  });
});

describe("nemoclaw that is down", () => {
  test("is left alone after five failures in a row, and tried again after 15 s", async () => {
    const { asks, clock, provider, sim } = await scene();
    await provider.refreshModels();
    sim.script = always(chats, status(500));

    await asks();
    expect(await asks()).toMatchObject({ code: "provider_failed" });
    expect(sim.chats).toHaveLength(5);
    expect(provider.status).toBe("offline");
    expect(await asks()).toMatchObject({ code: "provider_unavailable", isPassing: true });
    expect(sim.chats).toHaveLength(5);

    await clock.advance(15_000);
    expect(await asks()).toMatchObject({ code: "provider_failed" });
    expect(sim.chats).toHaveLength(6);

    sim.script = () => null;
    await clock.advance(15_000);
    expect(await asks()).toMatchObject({ kind: "answered" });
    expect(await asks()).toMatchObject({ kind: "answered" });
  });

  test("Q13: is tried again though the wall clock was set back", async () => {
    const { asks, clock, sim } = await scene();
    sim.script = first(chats, ...Array<OpenaiFault>(5).fill(status(500)));
    await asks();
    await asks();

    clock.jumpWall(-86_400_000);
    await clock.advance(15_000);

    expect(await asks()).toMatchObject({ kind: "answered" });
  });

  test("is not opened by refusals, which are the requests' fault", async () => {
    const { asks, provider, sim } = await scene();
    await provider.refreshModels();
    sim.script = always(chats, status(400, '{"error":"no"}'));
    for (let i = 0; i < 8; i++) await asks();

    expect(sim.chats).toHaveLength(8);
    expect(provider.status).toBe("online");
    expect(provider.telemetry.error_rate).toBe(0);
  });
});

describe("nemoclaw's status and models", () => {
  test("are offline and none before it was asked, then what it says", async () => {
    const { provider } = await scene();
    expect([provider.status, provider.problem]).toEqual(["offline", "it has not been reached yet"]);

    await provider.refreshModels();

    expect([provider.status, provider.problem]).toEqual(["online", null]);
    expect(provider.models).toEqual(["nemotron", "remote_default"]);
    expect(provider.defaultModel(() => true)).toBe("nemotron");
    expect(provider.defaultModel((name) => name !== "nemotron")).toBe("remote_default");
  });

  test("are asked for again each minute once it is started", async () => {
    const { clock, provider, sim } = await scene();
    provider.start();
    await until("it is asked", () => provider.models.length === 2);
    sim.models = ["newer"];

    await clock.advance(60_000);

    await until("it is asked again", () => provider.models.length === 1);
    expect(provider.models).toEqual(["newer"]);
  });

  test("are those of NEMOCLAW_MODELS, if they are set, and no others are asked for", async () => {
    const { asks, provider, sim } = await scene({ models: ["remote_default"] });
    await provider.refreshModels();

    expect(provider.models).toEqual(["remote_default"]);
    expect(provider.hasModel("nemotron")).toBe(false);
    expect(await asks()).toMatchObject({ code: "model_not_found" });
    expect(sim.chats).toEqual([]);
  });

  test("are there for a server that lists nothing", async () => {
    const { provider, sim } = await scene({ models: ["nemotron"] });
    sim.script = () => status(404, "no such route");

    await provider.refreshModels();

    expect(provider.status).toBe("online");
  });

  test("go offline at the second question without an answer, and at once without a key", async () => {
    const { provider, sim } = await scene();
    await provider.refreshModels();
    sim.script = first("/v1/models", status(502), status(502));
    await provider.refreshModels();
    expect(provider.status).toBe("online");
    await provider.refreshModels();
    expect([provider.status, provider.models.length]).toEqual(["offline", 2]);

    const other = await scene();
    await other.provider.refreshModels();
    other.sim.script = () => status(403);
    await other.provider.refreshModels();
    expect(other.provider.status).toBe("offline");
    expect(other.provider.problem).toContain("NEMOCLAW_API_KEY");
  });

  test("measure what was asked", async () => {
    const { asks, provider, sim } = await scene();
    await asks();
    sim.script = first(chats, status(200, "nonsense"));
    await asks();

    expect(provider.telemetry).toMatchObject({ error_rate: 0.5, queue_depth: 0 });
    expect(provider.telemetry.last_error).toBe("the answer is no chat completion");
    expect(provider.telemetry.latency_ms).toEqual({ p50: 0, p95: 0, p99: 0 });
  });

  test("tell everybody what is wrong, but not in words that may repeat a prompt", async () => {
    const { asks, lines, provider, sim } = await scene();
    const error = { message: "no capacity for 'my secret plan'", code: "overloaded" };
    const refusal = status(429, JSON.stringify({ error }));
    sim.script = always(chats, refusal);

    const outcome = await asks();

    expect(outcome).toMatchObject({ message: expect.stringContaining("my secret plan") });
    expect(provider.telemetry.last_error).toBe("nemoclaw answered 429 (overloaded)");
    expect(JSON.stringify([provider.problem, lines])).not.toContain("secret");
  });

  test("tell everybody where it redirects to by the origin alone", async () => {
    const { asks, lines, provider, sim } = await scene();
    const headers = { Location: "http://login.example.com/my?plan=secret" };
    sim.script = always(chats, { kind: "answer", status: 302, headers });

    const outcome = await asks();

    expect(outcome).toMatchObject({ message: expect.stringContaining("plan=secret") });
    expect(provider.telemetry.last_error).toContain("redirects to http://login.example.com,");
    expect(JSON.stringify([provider.problem, lines])).not.toContain("secret");
  });
});
