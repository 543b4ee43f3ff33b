/** GET /jobs/{id}/events, with a real EventSource and with raw sockets. */
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { ask, headerIn } from "../support/ask.ts";
import { JobFollower } from "../support/job-follower.ts";
import { RawClient } from "../support/raw-client.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const model = "llama3.2";
const chat = (content: string) => ({ model, messages: [{ role: "user", content }] });

async function submit(url: string, content: string, more: object = {}): Promise<string> {
  const body = JSON.stringify({ ...chat(content), ...more });
  const answer = await fetch(`${url}/jobs`, { method: "POST", body });
  return ((await answer.json()) as { job_id: string }).job_id;
}

const stateOf = async (url: string, id: string) =>
  ((await (await fetch(`${url}/jobs/${id}`)).json()) as { state: string }).state;

const isDone = (url: string, id: string) => async () => (await stateOf(url, id)) === "done";

const get = (path: string, ...headers: string[]) =>
  `${[`GET ${path} HTTP/1.1`, "Host: localhost", ...headers].join("\r\n")}\r\n\r\n`;

const idsIn = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));

describe("whoever follows a job", () => {
  test("hears each state once, how it waits and runs, its end, and then comes no more", async () => {
    const sim = await startSim({ models: [{ name: model, tokenMs: 25, tokens: 100 }] });
    const { url } = await startForeman(sim.url);
    const warm = await submit(url, "warm [[tokens=5]]");
    await until("one was measured", isDone(url, warm));
    await submit(url, "first [[tokens=30]]");
    const id = await submit(url, "second [[tokens=200]]");

    const follower = new JobFollower(url, id);
    await until("it ends", () => follower.told.at(-1) === "done", 15_000);
    await until("it comes no more", () => follower.isClosed);

    expect(follower.told).toEqual(["queued", "loading", "working", "done"]);
    expect(follower.ids).toEqual([1, 2, 3, 4]);
    expect(follower.refusals).toEqual([204]);
    expect(follower.states[1]).toMatchObject({ previous_state: "queued", attempt: 1, why: null });
    const [waits] = follower.progress;
    expect(waits).toMatchObject({ job_id: id, state: "queued", position: 1 });
    expect(waits).toMatchObject({ reason: "1 ahead, same model", eta_ms: expect.any(Number) });
    const runs = follower.progress.flatMap((each) => (each.state === "working" ? [each] : []));
    expect(runs.length).toBeGreaterThanOrEqual(2);
    expect(runs.at(-1)?.tokens).toBeGreaterThan(runs[0]?.tokens ?? 0);
    expect(runs.at(-1)?.tokens_per_s).toBeGreaterThan(0);
    expect(runs.at(-1)?.tokens_per_s).toBeLessThan(50);
    const end = follower.states.at(-1);
    expect(end).toMatchObject({ error: null, usage: { completion_tokens: 200 } });
    expect((await (await fetch(url + end?.result_url)).text()).length).toBeGreaterThan(0);
  }, 30_000);

  test("hears why a job failed, and that one was cancelled", async () => {
    const sim = await startSim({ models: [{ name: model, tokenMs: 20, tokens: 500 }] });
    const { url } = await startForeman(sim.url, { FOREMAN_MAX_ATTEMPTS: "2" }, { random: () => 0 });
    const fault = { kind: "answer", status: 500, body: '{"error":"out of memory"}' } as const;
    sim.fail({ route: "/api/chat", times: 2, fault });
    const failed = new JobFollower(url, await submit(url, "doomed"));
    await until("it fails", () => failed.told.at(-1) === "failed");
    const id = await submit(url, "unwanted");
    const cancelled = new JobFollower(url, id);
    await until("it runs", () => cancelled.told.at(-1) === "working");

    await fetch(`${url}/jobs/${id}/cancel`, { method: "POST" });
    await until("it is cancelled", () => cancelled.told.at(-1) === "cancelled");

    const half = ["loading", "working"];
    expect(failed.told).toEqual(["queued", ...half, "queued", ...half, "failed"]);
    expect(failed.states[3]).toMatchObject({ previous_state: "working", why: "target_failed" });
    expect(failed.states.at(-1)).toMatchObject({
      error: { code: "target_failed", message: "the target answered 500: out of memory" },
      result_url: null,
    });
    expect(cancelled.states.at(-1)).toMatchObject({
      why: "cancelled_by_user",
      error: { code: "cancelled_by_user" },
      result_url: null,
    });
  });

  test("may follow a chat with an Idempotency-Key, and its tokens, on any route", async () => {
    const sim = await startSim({ models: [{ name: model, tokenMs: 20, tokens: 150 }] });
    const { port, url } = await startForeman(sim.url);
    const body = { ...chat("hi"), stream: true };
    const client = new RawClient(port).post("/v1/chat/completions", body, ["Idempotency-Key: k"]);
    await client.received("X-Foreman-Job: ");
    const id = /X-Foreman-Job: (\w+)/.exec(client.text)?.[1] ?? "";

    const follower = new JobFollower(url, id);
    await until("it ends", () => follower.told.at(-1) === "done");

    const counts = follower.progress.flatMap((each) =>
      "tokens" in each ? [each.tokens ?? 0] : [],
    );
    expect(Math.max(...counts)).toBeGreaterThan(20);
    expect(Math.max(...counts)).toBeLessThanOrEqual(153);
    client.leave();
  });
});

describe("a stream of events", () => {
  async function withOneJob() {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const id = await submit(foreman.url, "hello");
    await until("it is done", isDone(foreman.url, id));
    const events = (query = "", ...headers: string[]) =>
      ask(foreman.port, get(`/jobs/${id}/events${query}`, ...headers));
    return { ...foreman, id, events };
  }

  test("goes on after the Last-Event-ID, or the query's, of which the header counts", async () => {
    const { events } = await withOneJob();

    expect(idsIn((await events())?.body ?? "")).toEqual([1, 2, 3, 4]);
    expect(idsIn((await events("", "Last-Event-ID: 2"))?.body ?? "")).toEqual([3, 4]);
    expect(idsIn((await events("?last_event_id=3"))?.body ?? "")).toEqual([4]);
    expect(idsIn((await events("?last_event_id=3", "Last-Event-ID: 1"))?.body ?? "")).toEqual([
      2, 3, 4,
    ]);
    expect((await events("", "Last-Event-ID: 4"))?.statusCode).toBe(204);
  });

  test("begins anew after a number that the history does not have, and refuses a word", async () => {
    const { events, id, port } = await withOneJob();

    expect(idsIn((await events("", "Last-Event-ID: 5"))?.body ?? "")).toEqual([1, 2, 3, 4]);
    const refused = await events("", "Last-Event-ID: four");
    expect(refused?.statusCode).toBe(400);
    expect(refused?.body).toContain("Last-Event-ID");
    const headOnly = await ask(port, get(`/jobs/${id}/events`).replace("GET", "HEAD"));
    expect(headOnly?.statusCode).toBe(200);
    expect(headerIn(headOnly, "content-type")).toBe("text/event-stream");
  });

  test("is not there for a job that waits on a socket, is unknown, or ended before histories", async () => {
    const { databaseFile, id, port, url } = await withOneJob();
    const { headers } = await fetch(`${url}/api/chat`, {
      method: "POST",
      body: JSON.stringify(chat("hi")),
    });
    const onSocket = headers.get("x-foreman-job");
    const database = new Database(databaseFile);
    database.exec("DELETE FROM transition");
    database.close();

    const refusals = await Promise.all(
      [onSocket, "01ARZ3NDEKTSV4RRFFQ69G5FAV", id].map((each) =>
        ask(port, get(`/jobs/${each}/events`)),
      ),
    );

    expect(refusals.map((each) => each?.statusCode)).toEqual([409, 404, 409]);
    expect(refusals[0]?.body).toContain("has no history");
    expect(refusals[2]?.body).toContain(`ask /jobs/${id}`);
  });

  test("is refused past FOREMAN_EVENT_STREAMS_MAX, and a client that goes makes room", async () => {
    const sim = await startSim({ models: [{ name: model, tokenMs: 20, tokens: 1_000 }] });
    const { port, url } = await startForeman(sim.url, { FOREMAN_EVENT_STREAMS_MAX: "1" });
    const id = await submit(url, "long");
    const first = new RawClient(port).send(get(`/jobs/${id}/events`));
    await first.received("event: state");

    const refused = await ask(port, get(`/jobs/${id}/events`));
    first.vanish();

    expect(refused?.statusCode).toBe(503);
    expect(headerIn(refused, "retry-after")).toBe("10");
    expect(refused?.body).toContain("FOREMAN_EVENT_STREAMS_MAX");
    await until("there is room", async () => {
      const next = new RawClient(port).send(get(`/jobs/${id}/events`));
      await until("an answer", () => next.text.includes("\r\n\r\n"));
      const isOpen = next.text.startsWith("HTTP/1.1 200");
      next.leave();
      return isOpen;
    });
    await fetch(`${url}/jobs/${id}/cancel`, { method: "POST" });
  });

  test("is told alike to many who follow one job, whenever they came", async () => {
    const sim = await startSim({ models: [{ name: model, tokenMs: 20, tokens: 100 }] });
    const { url } = await startForeman(sim.url);
    const id = await submit(url, "long");
    const early = Array.from({ length: 20 }, () => new JobFollower(url, id));
    await until("they hear that it works", () => early.every(({ told }) => told.length === 3));
    const late = Array.from({ length: 20 }, () => new JobFollower(url, id));

    const all = [...early, ...late];
    await until("all hear the end", () => all.every(({ told }) => told.at(-1) === "done"));

    for (const { states } of all) expect(states).toEqual(early[0]?.states);
  });
});
