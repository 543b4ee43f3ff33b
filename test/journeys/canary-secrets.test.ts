/**
 * Secrets that no other text holds, in each setting and request that may bear one; upstreams that
 * repeat all they hear; and then a look through everything that foreman said to anybody.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { hashOf } from "../../src/access/new-token.ts";
import { addToken } from "../../src/access/token-file.ts";
import { Receiver } from "../support/receiver.ts";
import { first, startSimOpenai } from "../support/sim-openai.ts";
import { type RunningForeman, startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";
import { folderWith } from "../support/watchdog-scene.ts";
import { allowing, saying } from "../support/webhook-scene.ts";

const secrets = {
  own: "canary-own-9f1c",
  named: "canary-named-27ab",
  wrong: "canary-wrong-5d3e",
  target: "canary-target-81c0",
  nemoclaw: "canary-nemoclaw-64f2",
  webhook: "canary-webhook-b7d9",
  hook: "canary-hook-3e58",
  s3Id: "CANARYS3ID0A4F",
  s3Key: "canary-s3key-c61b",
  cookie: "canary-cookie-0be7",
};
const prompt = "canary-prompt-fa52";

const basicOf = (token: string) => `Basic ${btoa(`anybody:${token}`)}`;

/** A bucket that refuses everybody, and says with which headers. */
async function startParrot(): Promise<{ url: string; heard: string[] }> {
  const heard: string[] = [];
  const server = createServer(({ headers }, response) => {
    heard.push(String(headers.authorization));
    response.writeHead(403, { "Content-Type": "application/xml" });
    const words = `${headers.authorization} ${secrets.s3Id} ${secrets.s3Key}`;
    response.end(`<Error><Code>AccessDenied</Code><Message>${words}</Message></Error>`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
}

/** The whole daemon with a secret wherever one may be set, and all its upstreams. */
async function scene() {
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", secrets.s3Id);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", secrets.s3Key);
  onTestFinished(() => void vi.unstubAllEnvs());
  const [sim, hosted, receiver, bucket] = await Promise.all([
    startSim({ models: [{ name: "llama3.2", tokens: 2 }] }),
    startSimOpenai(),
    Receiver.open(),
    startParrot(),
  ]);
  const s3 = [{ url: "s3://models/lost.gguf" }];
  const models = JSON.stringify({ models: { lost: { pull: false, s3 } } });
  const folder = await folderWith({ "models.json": models });
  const tokens = join(folder, "tokens.json");
  addToken(tokens, { name: "ann", hash: hashOf(secrets.named), scope: "user" });
  const settings = {
    ...allowing(receiver),
    FOREMAN_LOG_LEVEL: "trace",
    FOREMAN_TOKEN: secrets.own,
    FOREMAN_TOKENS_FILE: tokens,
    FOREMAN_OLLAMA_TOKEN: secrets.target,
    FOREMAN_WEBHOOK_SECRET: secrets.webhook,
    NEMOCLAW_API_URL: hosted.url,
    NEMOCLAW_API_KEY: secrets.nemoclaw,
    FOREMAN_REQUIRED_MODELS: "lost",
    FOREMAN_MODELS_FILE: join(folder, "models.json"),
    FOREMAN_MODEL_CACHE: join(folder, "cache"),
    AWS_ENDPOINT_URL_S3: bucket.url,
    FOREMAN_MAX_ATTEMPTS: "2",
  };
  // No attempt rests before the next.
  const foreman = await startForeman(sim.url, settings, { random: () => 0 });
  return { bucket, foreman, hosted, receiver, sim };
}

type Request = { readonly body?: unknown; readonly headers?: Record<string, string> };

/** Asks foreman, and keeps all that it says. */
function asker({ url }: RunningForeman) {
  const answers: string[] = [];
  const ask = async (line: string, { body, headers = {} }: Request = {}) => {
    const [method = "", path = ""] = line.split(" ");
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${secrets.own}`, Cookie: secrets.cookie, ...headers },
      ...(text !== undefined && { body: text }),
    });
    const told = await answer.text();
    answers.push(`${method} ${answer.status} ${JSON.stringify([...answer.headers])} ${told}`);
    return { status: answer.status, told };
  };
  return { answers, ask };
}

const chat = (more: object = {}) => ({
  model: "llama3.2",
  messages: [{ role: "user", content: prompt }],
  ...more,
});

test("A4 no secret and no prompt is told to anybody, whatever fails and whoever repeats it", async () => {
  const { bucket, foreman, hosted, receiver, sim } = await scene();
  const { answers, ask } = asker(foreman);
  const ended = async (told: string) => {
    const { job_id: id } = JSON.parse(told) as { job_id: string };
    const isEnded = async () => /"state":"(done|failed)"/.test((await ask(`GET /jobs/${id}`)).told);
    await until("the job ended", isEnded);
    await ask(`GET /jobs/${id}/events`);
  };
  const callback = { state_webhook_url: `${receiver.url}&key=${secrets.hook}` };
  const repeats = `you sent Bearer ${secrets.target} and ${prompt}`;

  // Each way to come in, and each way not to.
  for (const token of [secrets.own, secrets.named, secrets.wrong]) {
    for (const headers of [
      { Authorization: `Bearer ${token}` },
      { Authorization: basicOf(token) },
    ]) {
      const { status } = await ask("POST /api/chat", { body: chat(), headers });
      expect(status).toBe(token === secrets.wrong ? 401 : 200);
    }
    await ask("GET /api/tags", { headers: { Authorization: "", "X-Api-Key": token } });
    await ask(`GET /api/tags?token=${token}`, { headers: { Authorization: "" } });
    await ask("GET /api/tags", { headers: { Authorization: `Bearer ${token}, Bearer ${token}` } });
  }
  const asAnn = { Authorization: `Bearer ${secrets.named}` };
  expect((await ask("POST /api/pull", { body: {}, headers: asAnn })).status).toBe(403);

  // Requests that are refused, by foreman and by a target that repeats them.
  for (const body of [
    `{"model":"${prompt}`,
    `["${prompt}"]`,
    { model: prompt },
    chat({ n: prompt }),
  ]) {
    for (const path of ["/api/chat", "/v1/chat/completions", "/jobs", "/api/runtime/llm/batch"]) {
      await ask(`POST ${path}`, { body });
    }
  }
  for (const status of [400, 401, 500, 503]) {
    const body = JSON.stringify({ error: repeats });
    const fault = { kind: "answer", status, body } as const;
    const rule = sim.fail({ route: "/api/chat", fault });
    expect((await ask("POST /api/chat", { body: chat() })).status).toBe(status);
    await ask("POST /api/chat", { body: chat(), headers: { "Idempotency-Key": `k${status}` } });
    await ended((await ask("POST /jobs", { body: chat(callback) })).told);
    rule.remove();
  }
  // In the head, and in a body whose pieces cut the secret in two.
  const [one, two] = [repeats.slice(0, 25), repeats.slice(25)];
  const pieces = [one, two, ""].map((each) => `${each.length.toString(16)}\r\n${each}\r\n`);
  const head = `HTTP/1.1 502 ${secrets.target}\r\nX-Echo: a ${secrets.target}\r\n`;
  const bytes = `${head}Transfer-Encoding: chunked\r\n\r\n${pieces.join("")}`;
  for (const line of ["POST /api/chat", "POST /api/show", "POST /jobs"]) {
    const route = line === "POST /jobs" ? "/api/chat" : line.slice("POST ".length);
    const rule = sim.fail({ route, fault: { kind: "raw", bytes, ending: "close" } });
    const { status, told } = await ask(line, { body: chat() });
    if (line === "POST /jobs") await ended(told);
    else expect([status, told]).toEqual([502, repeats.replace(secrets.target, "*".repeat(18))]);
    rule.remove();
  }
  for (const kind of ["reset", "close-after-tokens", "error-after-tokens"] as const) {
    const fault = { kind, tokens: 1, message: prompt };
    const rule = sim.fail({ route: "/api/chat", times: 2, fault });
    await ask("POST /api/chat", { body: chat() }).catch(() => {});
    await ended((await ask("POST /jobs", { body: chat(callback) })).told);
    rule.remove();
  }
  sim.fail({ route: "/api/tags", fault: { kind: "answer", status: 500, body: repeats }, times: 1 });

  // The other upstreams.
  const body = `{"error":{"message":"you sent Bearer ${secrets.nemoclaw} and ${prompt}"}}`;
  const faults = [401, 400, 429].map((status) => ({ kind: "answer", status, body }) as const);
  hosted.script = first("/v1/chat/completions", ...faults);
  const generation = { provider: "nemoclaw", model: "nemotron", messages: chat().messages };
  for (const _ of [...faults, "well"]) {
    await ask("POST /api/runtime/llm/chat", { body: generation });
  }
  receiver.answers = (_, response) => {
    response.writeHead(500, secrets.webhook, { "X-Echo": secrets.hook });
    response.end(secrets.hook);
  };
  await ended((await ask("POST /jobs", { body: chat(callback) })).told);
  await until("the webhook failed", () => saying(foreman, "webhook not received").length > 0);
  await until("the bucket failed", () => saying(foreman, "source failed").length > 0);
  expect(saying(foreman, "source failed")[0]).toMatchObject({ component: "watchdog" });

  const control = new AbortController();
  const headers = { Authorization: `Bearer ${secrets.own}` };
  const events = await fetch(`${foreman.url}/foreman/events`, { headers, signal: control.signal });
  const piece = await events.body?.getReader().read();
  control.abort();
  const open = [
    "/metrics",
    "/foreman/status",
    "/health",
    "/healthz",
    "/readyz",
    "/foreman/history",
  ];
  const status = [new TextDecoder().decode(piece?.value)];
  for (const path of open) status.push((await ask(`GET ${path}`)).told);
  for (const path of ["/jobs", "/api/runtime/llm/jobs", "/api/runtime/llm/providers"]) {
    await ask(`GET ${path}`);
  }
  await foreman.stop();

  // The upstreams did get theirs.
  expect(hosted.chats.at(-1)?.authorization).toBe(`Bearer ${secrets.nemoclaw}`);
  expect(bucket.heard.join()).toContain(secrets.s3Id);
  expect(foreman.logged.length).toBeGreaterThan(50);
  const log = foreman.logged.map((line) => JSON.stringify(line));
  const posts = receiver.received.map(({ body, headers }) => `${JSON.stringify(headers)} ${body}`);
  expect(posts.length).toBeGreaterThan(10);
  const places = { answers, log, posts, status };
  const found = (places: Record<string, readonly string[]>, words: readonly string[]) =>
    Object.entries(places).flatMap(([place, texts]) =>
      texts
        .filter((text) => words.some((word) => text.includes(word)))
        .map((text) => [place, text]),
    );
  const tokens = Object.values(secrets);
  expect(found(places, [...tokens, ...tokens.map((token) => btoa(`anybody:${token}`))])).toEqual(
    [],
  );
  expect(found({ log, status }, [prompt])).toEqual([]);
}, 60_000);
