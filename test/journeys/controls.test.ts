/** What an operator may do to a running foreman, as an operator does it: by its routes. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ControlChange } from "../../src/wire/controls.ts";
import type { HistoryDocument } from "../../src/wire/history.ts";
import type { Status } from "../../src/wire/status.ts";
import { RawClient } from "../support/raw-client.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const messages = [{ role: "user", content: "hi" }];
const endless = [{ role: "user", content: "[[tokens=100000]]" }];

type Job = { readonly state: string; readonly reason: string | null };

function operator(url: string) {
  const call = async (line: string, body?: object) => {
    const [method = "", path = ""] = line.split(" ");
    const answer = await fetch(`${url}${path}`, {
      method,
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: answer.status, headers: answer.headers, json: await answer.json() };
  };
  return {
    call,
    status: async () => (await call("GET /foreman/status")).json as Status,
    job: async (id: string) => (await call(`GET /jobs/${id}`)).json as Job,
    submit: async (body: object) =>
      ((await call("POST /jobs", body)).json as { job_id: string }).job_id,
    changes: async () =>
      ((await call("GET /foreman/changes")).json as { changes: ControlChange[] }).changes,
  };
}

test("work that is paused waits, says by whom, outlives a restart, and runs when resumed", async () => {
  const sim = await startSim({ models: [{ name: "a", tokens: 2, tokenMs: 1, loadMs: 1 }] });
  const settings = { FOREMAN_DB: join(mkdtempSync(join(tmpdir(), "foreman-pause-")), "f.db") };
  const first = await startForeman(sim.url, settings);
  const before = operator(first.url);

  const wish = { class: "batch", model: "a:latest", note: "a demo at three" };
  expect((await before.call("POST /foreman/pause", wish)).status).toBe(200);
  const id = await before.submit({ model: "a", messages, priority: "batch" });
  const why = /^paused by 127\.0\.0\.1 since 20.*Z: a demo at three$/;
  await until("it says why", async () => why.test((await before.job(id)).reason ?? ""));
  const chat = await before.call("POST /api/chat", { model: "a", messages, stream: false });
  expect(chat.status).toBe(200);
  await first.stop();

  const second = await startForeman(sim.url, settings);
  const { call, changes, job, status } = operator(second.url);
  await until("it says why again", async () => why.test((await job(id)).reason ?? ""));
  expect((await status()).paused).toMatchObject([{ class: "batch", model: "a:latest" }]);
  expect((await call("POST /foreman/pause")).json).toMatchObject({ paused: [{}, { class: null }] });
  expect((await call("POST /foreman/resume", { class: "batch" })).status).toBe(200);
  const narrow = await call("POST /foreman/resume", { class: "batch" });
  expect([narrow.status, JSON.stringify(narrow.json)]).toEqual([
    409,
    expect.stringMatching(/all work is paused by 127\.0\.0\.1/),
  ]);
  expect((await job(id)).state).toBe("queued");
  expect((await call("POST /foreman/pause", { model: "nobody" })).status).toBe(404);
  expect((await call("POST /foreman/pause", { klass: "batch" })).status).toBe(400);

  expect((await call("POST /foreman/resume")).json).toEqual({ paused: [] });
  await until("it runs", async () => (await job(id)).state === "done");
  expect((await changes()).map(({ action, by, note }) => [action, by, note])).toEqual([
    ["resume", "127.0.0.1", null],
    ["resume", "127.0.0.1", null],
    ["pause", "127.0.0.1", null],
    ["pause", "127.0.0.1", "a demo at three"],
  ]);
});

test("slots, loads, unloads and a drain take effect on the foreman that runs", async () => {
  const sim = await startSim({
    models: ["a", "b"].map((name) => ({ name, tokens: 2, tokenMs: 5, loadMs: 1 })),
  });
  const foreman = await startForeman(sim.url);
  const { call, job, status } = operator(foreman.url);
  const loaded = async () => (await status()).target.loaded.map(({ name }) => name);

  const load = await call("POST /foreman/models/load", { model: "b", keep_alive: "1h" });
  const { job_id } = load.json as { job_id: string };
  await until("b is loaded", async () => (await job(job_id)).state === "done");
  await until("b is seen", async () => (await loaded()).includes("b:latest"));
  expect((await call("POST /foreman/models/unload", { model: "b" })).status).toBe(200);
  await until("b is gone", async () => !(await loaded()).includes("b:latest"));

  expect((await call("PUT /foreman/slots", { slots: 17 })).status).toBe(400);
  const slots = await call("PUT /foreman/slots", { slots: 2 });
  expect(slots.json).toEqual({ slots: 2, setting: 1 });
  const chats = [1, 2, 3].map(() => {
    const client = new RawClient(foreman.port);
    return client.post("/api/chat", { model: "a", messages: endless });
  });
  await until("two run", async () => (await status()).running.length === 2);

  const drained = await call("POST /foreman/drain", { on: true, note: "new disk · tonight" });
  const drain = { since: expect.any(String), by: "127.0.0.1", note: "new disk · tonight" };
  expect(drained.json).toEqual({ draining: true, drain, waiting: 1, running: 2 });
  // Ollama's clients know its words; why it is so stands beside them.
  const why = /^foreman is draining since 20.*Z by 127\.0\.0\.1: new disk . tonight$/;
  const busy = "server busy, please try again.  maximum pending requests exceeded";
  const chat = { model: "a", messages };
  for (const [line, told] of [
    ["POST /api/chat", { error: busy }],
    ["POST /v1/chat/completions", { error: { message: busy } }],
    ["POST /v1/messages", { error: { message: busy, type: "overloaded_error" } }],
  ] as const) {
    const { headers, json, status } = await call(line, { ...chat, max_tokens: 5 });
    expect([line, status, headers.get("retry-after")]).toEqual([line, 503, "10"]);
    expect(headers.get("x-foreman-reason")).toMatch(why);
    expect(json).toMatchObject(told);
  }
  // On its own routes foreman has words of its own.
  const items = [{ request_id: "one", messages }];
  for (const [line, body] of [
    ["POST /jobs", chat],
    ["POST /foreman/models/load", { model: "a" }],
    ["POST /api/runtime/llm/chat", { provider: "ollama", ...chat }],
    ["POST /api/runtime/llm/batch", { items }],
  ] as const) {
    const { headers, json, status } = await call(line, body);
    const { detail, error } = json as { detail?: string; error?: string };
    expect([line, status, headers.get("retry-after")]).toEqual([
      line,
      503,
      expect.stringMatching(/^\d+$/),
    ]);
    expect(detail ?? error).toMatch(why);
  }
  // Who drains it once more has not begun it.
  await call("POST /foreman/drain", { on: true });
  expect(await (await fetch(`${foreman.url}/metrics`)).text()).toContain("foreman_draining 1\n");
  const ready = await call("GET /readyz");
  expect([ready.status, JSON.stringify(ready.json)]).toEqual([
    503,
    expect.stringMatching(/draining since 20.*Z: an operator/),
  ]);
  expect(await status()).toMatchObject({ draining: true, drain, slots: 2 });
  chats[0]?.leave();
  await until("what waited is let through", async () => {
    const { running, waiting } = await status();
    return running.length === 2 && waiting.length === 0;
  });
  expect((await call("POST /foreman/drain", { on: false })).json).toMatchObject({
    draining: false,
    drain: null,
  });
  expect((await call("GET /readyz")).status).toBe(200);
  for (const client of chats) client.leave();
});

test("the status is told as it changes, and what was is remembered over a restart", async () => {
  const sim = await startSim({
    models: ["a", "b"].map((name) => ({ name, tokens: 3, tokenMs: 1, loadMs: 60 })),
    maxLoadedModels: 1,
  });
  const settings = { FOREMAN_DB: join(mkdtempSync(join(tmpdir(), "foreman-past-")), "f.db") };
  const first = await startForeman(sim.url, settings);
  const before = operator(first.url);
  const stream = new RawClient(first.port).send(
    "GET /foreman/events HTTP/1.1\r\nHost: localhost\r\n\r\n",
  );
  await stream.received("event: status");
  const told = () => stream.text.split("event: status").length - 1;
  const atOnce = told();

  await before.call("POST /foreman/pause");
  await until("it is told", () => /"paused":\[\{/.test(stream.text));
  const ids: string[] = [];
  for (const model of ["a", "b", "a", "b", "a", "b"]) {
    ids.push(await before.submit({ model, messages }));
  }
  await until("six are told to wait", () => /"depth":3.*"depth":3/.test(stream.text));
  await before.call("POST /foreman/resume");
  await until("all are done", async () => {
    const states = await Promise.all(ids.map(async (id) => (await before.job(id)).state));
    return states.every((state) => state === "done");
  });
  const { today } = await before.status();
  expect(today).toMatchObject({
    jobs: { done: 6, failed: 0, cancelled: 0 },
    ...{ tokens: 18, swaps: 2, swaps_spared: 4 },
  });
  expect(today.waits.interactive.p95_ms).toBeGreaterThan(0);
  expect(today.waits.batch.p50_ms).toBeNull();
  expect([atOnce, told() < 20]).toEqual([1, true]);
  stream.leave();
  await first.stop();

  const { call, status } = operator((await startForeman(sim.url, settings)).url);
  expect((await status()).today).toMatchObject({ jobs: { done: 6 }, swaps: 2, swaps_spared: 4 });
  for (const [span, step] of [
    ["hour", 60],
    ["day", 600],
  ] as const) {
    const answer = await call(`GET /foreman/history?span=${span}`);
    const { samples, step_seconds } = answer.json as HistoryDocument;
    expect(step_seconds).toBe(step);
    const sum = (count: (sample: (typeof samples)[number]) => number) =>
      samples.reduce((total, sample) => total + count(sample), 0);
    expect([sum((each) => each.jobs_done), sum((each) => each.tokens)]).toEqual([6, 18]);
    expect(sum((each) => each.gpu_busy_share)).toBeGreaterThan(0);
  }
  expect((await call("GET /foreman/history?span=year")).status).toBe(400);
});
