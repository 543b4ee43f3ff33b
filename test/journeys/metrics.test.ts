/** A real scrape of a real daemon, and what stands on it: the dashboard and the alerts. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { RawClient } from "../support/raw-client.ts";
import { type RunningForeman, startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const read = (page: string) => readFileSync(new URL(`../../docs/${page}`, import.meta.url), "utf8");
const chat = (model: string, more: object = {}) => ({
  model,
  messages: [{ role: "user", content: "hi" }],
  ...more,
});

const post = async (foreman: RunningForeman, path: string, body: object) =>
  await (
    await fetch(`${foreman.url}${path}`, { method: "POST", body: JSON.stringify(body) })
  ).text();
const scrape = async ({ url }: RunningForeman) => await (await fetch(`${url}/metrics`)).text();

/** The value of a sample, spelled as in the scrape; null if it is not there. */
const sampleOf = (text: string, sample: string) => {
  const line = text.split("\n").find((each) => each.startsWith(`${sample} `));
  return line === undefined ? null : Number(line.slice(sample.length + 1));
};

describe("GET /metrics", () => {
  test("counts what ran: its wait, its tokens, its load, its swaps", async () => {
    const models = ["a", "b"].map((name) => ({ name, tokenMs: 5, tokens: 5, loadMs: 100 }));
    const sim = await startSim({ models, maxLoadedModels: 1 });
    const foreman = await startForeman(sim.url);
    for (const model of ["a", "b", "b"]) await post(foreman, "/api/chat", chat(model));

    const text = await scrape(foreman);

    const of = (sample: string) => sampleOf(text, sample);
    expect(of('foreman_jobs_total{class="interactive",state="done",reason="none"}')).toBe(3);
    for (const name of ["foreman_job_wait_seconds", "foreman_job_ttft_seconds"]) {
      expect(of(`${name}_count{class="interactive",model="b:latest"}`)).toBe(2);
    }
    expect(of('foreman_tokens_total{model="b:latest",kind="completion"}')).toBe(10);
    expect(of("foreman_swaps_total")).toBe(2);
    expect(of("foreman_load_seconds_total")).toBeGreaterThan(0.19);
    expect(of("foreman_busy_seconds_total")).toBeGreaterThan(0.25);
    expect(of('foreman_model_load_seconds{model="a:latest"}')).toBeGreaterThan(0.09);
    expect(of("foreman_target_up")).toBe(1);
    expect(of("foreman_store_commit_seconds_count")).toBeGreaterThan(0);
    const route = 'method="POST",route="/api/chat",status="2xx"';
    expect(of(`foreman_http_request_duration_seconds_count{${route}}`)).toBe(3);
  });

  test("shows who waits and runs, and counts who leaves unserved", async () => {
    const sim = await startSim({ models: [{ name: "a", tokenMs: 20, tokens: 10_000 }] });
    const foreman = await startForeman(sim.url);
    const running = new RawClient(foreman.port).post("/api/chat", chat("a"));
    await running.received('"done":false');
    const waiting = ["a", "A:latest"].map((model) =>
      new RawClient(foreman.port).post("/api/chat", chat(model)),
    );
    const labels = 'class="interactive",model="a:latest"';
    const depth = async () => sampleOf(await scrape(foreman), `foreman_queue_depth{${labels}}`);
    await until("both wait", async () => (await depth()) === 2);

    const text = await scrape(foreman);
    for (const client of [...waiting, running]) client.leave();

    expect(sampleOf(text, `foreman_running{${labels}}`)).toBe(1);
    expect(sampleOf(text, `foreman_queue_oldest_wait_seconds{${labels}}`)).toBeGreaterThan(0);
    const gone = 'foreman_jobs_total{class="interactive",state="cancelled",reason="client_gone"}';
    await until("all are counted", async () => sampleOf(await scrape(foreman), gone) === 3);
    expect(await depth()).toBeNull();
  });

  test("tells how long an operator has paused what, and nothing once it is resumed", async () => {
    const sim = await startSim({ models: [{ name: "a", tokens: 1 }] });
    const foreman = await startForeman(sim.url);
    await post(foreman, "/foreman/pause", { class: "batch" });
    await post(foreman, "/foreman/pause", { model: "a" });
    const ofBatch = 'foreman_paused_seconds{class="batch",model="all"}';
    const ofModel = 'foreman_paused_seconds{class="all",model="a:latest"}';
    await until("time passes", async () => Number(sampleOf(await scrape(foreman), ofBatch)) > 0);
    expect(sampleOf(await scrape(foreman), ofModel)).toBeGreaterThan(0);

    await post(foreman, "/foreman/resume", { class: "batch" });
    expect(sampleOf(await scrape(foreman), ofBatch)).toBeNull();
    expect(sampleOf(await scrape(foreman), ofModel)).not.toBeNull();
  });

  test("P4 lets no client make series: by paths, by models, by names of its own", async () => {
    const sim = await startSim({ models: [{ name: "a", tokens: 1 }] });
    const foreman = await startForeman(sim.url);
    await post(foreman, "/api/chat", chat("a"));
    for (const canary of ["canary1", "canary2"]) {
      await post(foreman, "/api/chat", chat(canary));
      for (const path of [`/jobs/${canary}`, `/api/${canary}`, `/${canary}`]) {
        await fetch(`${foreman.url}${path}`, { headers: { "x-openwebui-user-id": canary } });
      }
    }

    const text = await scrape(foreman);

    expect(text).not.toContain("canary");
    const count = (method: string, route: string, status: string) =>
      sampleOf(
        text,
        "foreman_http_request_duration_seconds_count" +
          `{method="${method}",route="${route}",status="${status}"}`,
      );
    expect(count("GET", "/jobs/:id", "4xx")).toBe(2);
    expect(count("ALL", "/api/*", "4xx")).toBe(2);
    expect(count("ALL", "unknown", "4xx")).toBe(2);
  });

  test("is closed to those without a token, once there is one", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_TOKEN: "t0ken" });
    const statusOf = async (path: string, headers: Record<string, string> = {}) =>
      (await fetch(`${foreman.url}${path}`, { headers })).status;

    expect(await statusOf("/metrics")).toBe(401);
    expect(await statusOf("/health")).toBe(401);
    expect(await statusOf("/metrics", { Authorization: "Bearer t0ken" })).toBe(200);
  });

  test("has each metric that the dashboard, the alerts and docs/metrics.md name", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const known = new Map(
      [...(await scrape(foreman)).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [
        name ?? "",
        kind,
      ]),
    );
    const named = (text: string) =>
      [...new Set(text.match(/\b(foreman|nodejs|process)_[a-z0-9_]+/g))].toSorted();
    const isKnown = (name: string) =>
      known.has(name) || known.get(name.replace(/_(bucket|sum|count)$/, "")) === "histogram";

    const dashboard = JSON.parse(read("grafana-dashboard.json")) as {
      panels: { id: number; targets?: { expr: string }[] }[];
    };
    const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets);
    const shown = named(expressions.map(({ expr }) => expr).join("\n"));
    const watched = named(read("alerts.yml"));
    const told = named(read("metrics.md"));

    expect(shown.length).toBeGreaterThan(30);
    expect(watched.length).toBeGreaterThan(10);
    expect([...shown, ...watched, ...told].filter((name) => !isKnown(name))).toEqual([]);
    const own = [...known.keys()].filter((name) => name.startsWith("foreman_"));
    expect(own.filter((name) => !told.includes(name))).toEqual([]);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    // What `promtool check metrics` says of names.
    const isCounter = ([name, kind]: [string, string | undefined]) =>
      name.endsWith("_total") === (kind === "counter");
    expect([...known].filter((each) => !isCounter(each))).toEqual([]);
  });
});

describe("GET /health", () => {
  const healthOf = async ({ url }: RunningForeman) => {
    const answer = await fetch(`${url}/health`);
    return { statusCode: answer.status, ...((await answer.json()) as object) };
  };

  test("says in a word each how database, Ollama and GPU are", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    await post(foreman, "/api/chat", chat("llama3.2"));
    await until("the loaded model is seen", async () =>
      JSON.stringify(await healthOf(foreman)).includes('"gpu":"present"'),
    );

    expect(await healthOf(foreman)).toEqual({
      ...{ statusCode: 200, status: "ok", database: "connected" },
      ...{ ollama: "available", gpu: "present" },
    });
  });

  test("tells that Ollama is away, which is no fault of foreman's", async () => {
    const foreman = await startForeman("http://127.0.0.1:9");

    expect(await healthOf(foreman)).toMatchObject({
      ...{ statusCode: 200, status: "degraded", database: "connected", ollama: "unavailable" },
    });
  });
});
