/** The operator's view of the providers, and the switch, on the whole daemon. */
import { describe, expect, test } from "vitest";
import { DaemonProcess } from "../support/daemon-process.ts";
import { freePort } from "../support/free-port.ts";
import { always, startSimOpenai } from "../support/sim-openai.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

type ProviderDocument = {
  readonly id: string;
  readonly status: string;
  readonly models: readonly string[];
  readonly enabled: boolean;
  readonly models_off: readonly string[];
  readonly problem: string | null;
  readonly latency_ms: { readonly p50: number } | null;
  readonly last_ok_at: string | null;
  readonly last_error: string | null;
  readonly error_rate: number;
  readonly queue_depth: number;
  readonly tokens_per_second: number | null;
};

const base = "/api/runtime/llm/providers";
const models = [
  { name: "qwen3.6:35b-a3b", tokenMs: 5, tokens: 20 },
  { name: "llama3.2" },
  { name: "nomic-embed-text", capabilities: ["embedding"] as const },
];

async function list(url: string): Promise<Record<string, ProviderDocument>> {
  const answer = await fetch(`${url}${base}`);
  expect(answer.status).toBe(200);
  const { providers } = (await answer.json()) as { providers: ProviderDocument[] };
  return Object.fromEntries(providers.map((provider) => [provider.id, provider]));
}

const send = (method: string, url: string, path: string, body: unknown) =>
  fetch(`${url}${base}${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const changesOf = async (url: string) =>
  ((await (await fetch(`${url}${base}/changes`)).json()) as { changes: unknown[] }).changes;

describe("GET /api/runtime/llm/providers", () => {
  test("names the providers, how they are, and the models that can chat", async () => {
    const [sim, hosted] = [await startSim({ models }), await startSimOpenai()];
    const foreman = await startForeman(sim.url, { NEMOCLAW_API_URL: hosted.url });
    await until("both are there", async () =>
      Object.values(await list(foreman.url)).every(({ status }) => status === "online"),
    );

    const answer = await fetch(`${foreman.url}${base}`);
    const { providers } = (await answer.json()) as { providers: ProviderDocument[] };

    expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
    expect(providers.map(({ id }) => id)).toEqual(["nemoclaw", "ollama", "deterministic_fallback"]);
    expect(providers[0]).toMatchObject({
      status: "online",
      models: ["nemotron", "remote_default"],
      latency_ms: null,
      last_error: null,
      error_rate: 0,
      queue_depth: 0,
      tokens_per_second: null,
    });
    expect(providers[1]?.models.toSorted()).toEqual(["llama3.2:latest", "qwen3.6:35b-a3b"]);
    expect(Date.parse(providers[1]?.last_ok_at ?? "")).toBeGreaterThan(0);
    expect(providers[2]).toMatchObject({ status: "online", models: [], enabled: true });
  });

  test("has nemoclaw offline without its URL, and says which setting is missing", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);

    const { nemoclaw } = await list(foreman.url);

    expect(nemoclaw).toMatchObject({ status: "offline", models: [] });
    expect(nemoclaw?.problem).toBe("NEMOCLAW_API_URL is not set");
  });

  test("measures every chat that Ollama answers, also those of its own routes", async () => {
    const sim = await startSim({ models });
    const foreman = await startForeman(sim.url);
    const body = JSON.stringify({
      model: "qwen3.6:35b-a3b",
      messages: [{ role: "user", content: "hi" }],
    });
    const chat = fetch(`${foreman.url}/api/chat`, { method: "POST", body });
    await until("it is counted", async () => (await list(foreman.url)).ollama?.queue_depth === 1);
    await (await chat).text();

    const { ollama } = await list(foreman.url);

    expect(ollama?.queue_depth).toBe(0);
    expect(ollama?.latency_ms?.p50).toBeGreaterThanOrEqual(90);
    expect(ollama?.tokens_per_second).toBeGreaterThan(1);
    expect(ollama?.error_rate).toBe(0);
  });

  test("tells that Ollama is away, and keeps the models that it had", async () => {
    const sim = await startSim({ models });
    const foreman = await startForeman(sim.url, { FOREMAN_POLL_INTERVAL: "100ms" });
    const statusOf = async () => (await list(foreman.url)).ollama?.status;
    await until("it is there", async () => (await statusOf()) === "online");

    await sim.down();
    await until("it is away", async () => (await statusOf()) === "offline");
    const away = (await list(foreman.url)).ollama;
    await sim.up();

    expect(away?.models).toHaveLength(2);
    expect(away?.problem).toMatch(/ECONNREFUSED/);
    await until(
      "it has been back for a while",
      async () => (await statusOf()) === "degraded",
      9_000,
    );
  });

  test("A4: never shows the key, not even to who is sent it back", async () => {
    const [sim, hosted] = [await startSim(), await startSimOpenai()];
    const answer = { kind: "answer", status: 401, body: '{"error":"Bearer sk-s3cret?"}' } as const;
    hosted.script = always("/v1/models", answer);
    const settings = { NEMOCLAW_API_URL: hosted.url, NEMOCLAW_API_KEY: "sk-s3cret" };
    const foreman = await startForeman(sim.url, { ...settings, FOREMAN_LOG_LEVEL: "trace" });

    await until("it was asked", async () =>
      ((await list(foreman.url)).nemoclaw?.problem ?? "").includes("401"),
    );

    expect(hosted.asked[0]?.authorization).toBe("Bearer sk-s3cret");
    expect(JSON.stringify([await list(foreman.url), foreman.logged])).not.toContain("s3cret");
  });
});

describe("the operator's switch", () => {
  test("sets the order, shows it, and gives it back to the rule", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const order = ["deterministic_fallback", "ollama", "nemoclaw"];
    const shown = async () => await (await fetch(`${foreman.url}${base}/order`)).json();
    expect(await shown()).toEqual({ order: null });

    const set = await send("PUT", foreman.url, "/order", { order, note: "drill" });

    expect([set.status, await set.json()]).toEqual([200, { order }]);
    expect(await shown()).toEqual({ order });
    expect(Object.keys(await list(foreman.url))).toEqual(order);
    await send("PUT", foreman.url, "/order", { order: null });
    expect(await shown()).toEqual({ order: null });
    expect(await changesOf(foreman.url)).toMatchObject([
      { by: "127.0.0.1", order: null, note: null },
      { by: "127.0.0.1", order, note: "drill" },
    ]);
  });

  test("takes a provider and a model away from who chooses by the list", async () => {
    const sim = await startSim({ models });
    const foreman = await startForeman(sim.url);
    await until("it is there", async () => (await list(foreman.url)).ollama?.models.length === 2);

    const model = await send("PATCH", foreman.url, "/ollama", { models: { "Llama3.2": false } });
    const seen = await model.json();
    const whole = await send("PATCH", foreman.url, "/ollama", { enabled: false });

    expect(seen).toMatchObject({
      id: "ollama",
      status: "online",
      models: ["qwen3.6:35b-a3b"],
      models_off: ["llama3.2:latest"],
    });
    expect(await whole.json()).toMatchObject({
      status: "offline",
      enabled: false,
      problem: "switched off by the operator",
    });
    const back = { enabled: true, models: { "llama3.2": true } };
    expect(await (await send("PATCH", foreman.url, "/ollama", back)).json()).toMatchObject({
      status: "online",
      models_off: [],
    });
  });

  test("tells what is wrong as FastAPI does: where, what and of which kind", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const order = ["ollama", "nemoclaw"];

    const short = await send("PUT", foreman.url, "/order", { order });
    const odd = await send("PATCH", foreman.url, "/gpt", { enabled: false });

    expect(await short.json()).toEqual({
      detail: [
        {
          loc: ["body", "order"],
          msg: "the order lacks deterministic_fallback",
          type: "value_error",
        },
      ],
    });
    expect(await odd.json()).toMatchObject({ detail: [{ loc: ["path", "id"], type: "enum" }] });
  });

  test.each<[string, string, string, unknown, string]>([
    ["an unknown provider", "PATCH", "/gpt", { enabled: true }, "there are nemoclaw, ollama"],
    ["nothing to change", "PATCH", "/ollama", {}, "give enabled or models"],
    ["an empty list of models", "PATCH", "/ollama", { models: {} }, "give enabled or models"],
    ["an unknown model", "PATCH", "/ollama", { models: { nope: false } }, "no such model"],
    ["a word for a flag", "PATCH", "/ollama", { enabled: "no" }, "valid boolean"],
    ["an order that lacks one", "PUT", "/order", { order: ["ollama", "nemoclaw"] }, "fallback"],
    [
      "an order that names one twice",
      "PUT",
      "/order",
      { order: ["ollama", "nemoclaw", "ollama", "deterministic_fallback"] },
      "ollama twice",
    ],
    ["an order with a stranger", "PUT", "/order", { order: ["gpt"] }, '"order",0'],
    ["no order", "PUT", "/order", {}, "Field required"],
    ["no JSON", "PUT", "/order", "{", "JSON decode error"],
  ])("refuses %s with 422, says why and changes nothing", async (_, method, path, body, words) => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    await until("it is there", async () => (await list(foreman.url)).ollama?.status === "online");

    const answer = await send(method, foreman.url, path, body);

    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain(words);
    expect(await changesOf(foreman.url)).toEqual([]);
  });

  test("I1: refuses a body that no operator sends", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);

    const answer = await send("PUT", foreman.url, "/order", " ".repeat(64 * 1024 + 1));

    expect(answer.status).toBe(413);
    expect(await answer.text()).toContain("65536 bytes");
  });

  test("A1: is closed to who has no token, and records the token's name", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_TOKEN: "s3cret" });
    const headers = { Authorization: "Bearer s3cret" };
    const body = JSON.stringify({ enabled: false });

    const stranger = await send("PATCH", foreman.url, "/nemoclaw", { enabled: false });
    const patch = { method: "PATCH", headers, body };
    const operator = await fetch(`${foreman.url}${base}/nemoclaw`, patch);

    expect([stranger.status, operator.status]).toEqual([401, 200]);
    const changes = await (await fetch(`${foreman.url}${base}/changes`, { headers })).json();
    expect(changes).toMatchObject({ changes: [{ by: "default", enabled: false }] });
  });

  test("Q2: outlives a daemon that is killed the moment it has answered", async () => {
    const sim = await startSim();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const first = await startForeman(sim.url);
    const { databaseFile } = first;
    await first.stop();
    const settings = {
      FOREMAN_ADDR: `127.0.0.1:${port}`,
      FOREMAN_OLLAMA_URL: sim.url,
      FOREMAN_DB: databaseFile,
    };
    const life = new DaemonProcess(settings);
    await life.listening(url, 10_000);

    await send("PATCH", url, "/nemoclaw", { enabled: false });
    life.kill("SIGKILL");
    await life.exited();
    await new DaemonProcess(settings).listening(url, 10_000);

    expect((await list(url)).nemoclaw).toMatchObject({ enabled: false });
    expect(await changesOf(url)).toMatchObject([{ provider: "nemoclaw", enabled: false }]);
  });
});
