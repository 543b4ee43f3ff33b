import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { RawClient } from "../support/raw-client.ts";
import { requestsTo } from "../support/sim-ollama/journal-queries.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const chat = (content: string, more: object = {}) => ({
  model: "llama3.2",
  messages: [{ role: "user", content }],
  ...more,
});

type JobDocument = {
  readonly job_id: string;
  readonly state: string;
  readonly position: number | null;
  readonly reason: string | null;
  readonly attempts: number;
  readonly result: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly artifacts: readonly { readonly name: string; readonly url: string }[];
};

async function submit(url: string, body: object): Promise<string> {
  const answer = await fetch(`${url}/jobs`, { method: "POST", body: JSON.stringify(body) });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as JobDocument).job_id;
}

const show = async (url: string, id: string) =>
  (await (await fetch(`${url}/jobs/${id}`)).json()) as JobDocument;

async function ended(url: string, id: string): Promise<JobDocument> {
  await until(`${id} ends`, async () =>
    ["done", "failed", "cancelled"].includes((await show(url, id)).state),
  );
  return await show(url, id);
}

describe("a job that nobody waits for", () => {
  test("runs, and its completion can be fetched", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const direct = await fetch(`${sim.url}/api/chat`, {
      method: "POST",
      body: JSON.stringify(chat("hello", { stream: false })),
    });
    const { message } = (await direct.json()) as { message: { content: string } };

    const id = await submit(foreman.url, chat("hello"));
    const job = await ended(foreman.url, id);

    expect(job).toMatchObject({ state: "done", attempts: 1, error: null });
    expect(job.result).toBe(message.content);
    const completion = job.artifacts.find(({ name }) => name === "completion");
    expect(await (await fetch(foreman.url + completion?.url)).text()).toBe(message.content);
  });

  test("shows the request byte for byte until it has ended, then says that it is gone", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 20, tokens: 9_999 }] });
    const foreman = await startForeman(sim.url);
    const body = ` {"model":"llama3.2", "messages":[{"role":"user","content":"ü<b>\\u0041"}],"n":1.0}`;
    const answer = await fetch(`${foreman.url}/jobs`, { method: "POST", body });
    const { job_id: id } = (await answer.json()) as JobDocument;
    const ask = () => fetch(`${foreman.url}/jobs/${id}/request`);

    const kept = await ask();
    const socket = new RawClient(foreman.port).post("/api/chat", chat("on a socket"));
    let waiting = "";
    await until("it waits", async () => {
      const list = await (await fetch(`${foreman.url}/jobs?state=queued`)).json();
      waiting = (list as { jobs: readonly JobDocument[] }).jobs[0]?.job_id ?? "";
      return waiting !== "";
    });
    const unkept = await fetch(`${foreman.url}/jobs/${waiting}/request`);
    await fetch(`${foreman.url}/jobs/${id}/cancel`, { method: "POST" });
    const gone = await ask();

    expect(await kept.text()).toBe(body);
    expect(kept.headers.get("x-content-type-options")).toBe("nosniff");
    expect([unkept.status, await unkept.text()]).toEqual([404, expect.stringContaining("socket")]);
    const sha256 = createHash("sha256").update(body).digest("hex");
    expect([gone.status, await gone.text()]).toEqual([410, expect.stringContaining(sha256)]);
    socket.leave();
  });

  test("waits in line with a position and a reason, and is cancelled unsent", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 20, tokens: 500 }] });
    const foreman = await startForeman(sim.url);
    const first = await submit(foreman.url, chat("first"));
    await until("it runs", async () => (await show(foreman.url, first)).state === "working");
    const second = await submit(foreman.url, chat("second"));
    const third = await submit(foreman.url, chat("third"));

    const waiting = await show(foreman.url, third);
    await fetch(`${foreman.url}/jobs/${second}/cancel`, { method: "POST" });
    await fetch(`${foreman.url}/jobs/${first}/cancel`, { method: "POST" });

    expect(waiting).toMatchObject({ state: "queued", position: 2 });
    expect(waiting.reason).toMatch(/ahead, same model/);
    expect(await ended(foreman.url, second)).toMatchObject({ state: "cancelled" });
    expect(await ended(foreman.url, first)).toMatchObject({ state: "cancelled" });
    await until("the third runs", async () => (await show(foreman.url, third)).state === "working");
    expect(requestsTo(sim.journal.events, "/api/chat").length).toBe(2);
    await fetch(`${foreman.url}/jobs/${third}/cancel`, { method: "POST" });
  });

  test("tells its place and the reason also where only the store has it", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 20, tokens: 9_999 }] });
    const foreman = await startForeman(sim.url, { FOREMAN_DRAIN_TIMEOUT: "10ms" });
    const first = await submit(foreman.url, chat("first"));
    await until("it runs", async () => (await show(foreman.url, first)).state === "working");
    const ids: string[] = [];
    for (let i = 0; i < 70; i++) ids.push(await submit(foreman.url, chat(`job ${i}`)));

    const last = await show(foreman.url, ids[69] ?? "");
    await fetch(`${foreman.url}/jobs/${ids[3]}/cancel`, { method: "POST" });

    expect(last).toMatchObject({ state: "queued", position: 70 });
    expect(last.reason).toMatch(/ahead, same model/);
    expect((await show(foreman.url, ids[69] ?? "")).position).toBe(69);
    expect((await show(foreman.url, ids[0] ?? "")).position).toBe(1);
  });

  test("survives a restart of foreman at its place, running or waiting", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 10, tokens: 30 }] });
    const first = await startForeman(sim.url, { FOREMAN_DRAIN_TIMEOUT: "50ms" });
    const ids: string[] = [];
    for (let i = 0; i < 100; i++) {
      ids.push(await submit(first.url, chat(`job ${i}`, { options: { num_predict: 2 } })));
    }
    await until("some ran", async () => (await show(first.url, ids[3] ?? "")).state === "done");
    await first.stop();

    const second = await startForeman(sim.url, { FOREMAN_DB: first.databaseFile });
    for (const id of ids) expect((await ended(second.url, id)).state).toBe("done");

    const bodies = requestsTo(sim.journal.events, "/api/chat").map(({ bodySha256 }) => bodySha256);
    expect(new Set(bodies).size).toBe(100);
    expect(bodies.length).toBeLessThanOrEqual(101);
  }, 30_000);

  test("runs again after the target failed it, and keeps the target's last words", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_MAX_ATTEMPTS: "2" }, { random: () => 0 });
    const fault = { kind: "answer", status: 500, body: '{"error":"out of memory"}' } as const;
    sim.fail({ route: "/api/chat", times: 1, fault });
    const lucky = await ended(foreman.url, await submit(foreman.url, chat("lucky")));
    sim.fail({ route: "/api/chat", fault });
    const doomed = await ended(foreman.url, await submit(foreman.url, chat("doomed")));

    expect(lucky).toMatchObject({ state: "done", attempts: 2 });
    expect(doomed).toMatchObject({
      state: "failed",
      attempts: 2,
      error: { code: "target_failed", message: "the target answered 500: out of memory" },
    });
  });

  test("is refused at once for a model that nobody has, and for wishes that make no sense", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const post = (body: object) =>
      fetch(`${foreman.url}/jobs`, { method: "POST", body: JSON.stringify(body) });

    const unknown = await post({ ...chat("x"), model: "nope" });
    const odd = await post(chat("x", { priority: "urgent" }));
    const missing = await fetch(`${foreman.url}/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV`);

    expect(unknown.status).toBe(404);
    expect(await unknown.text()).toBe(`{"error":"model 'nope' not found"}`);
    expect(odd.status).toBe(400);
    expect(await odd.json()).toEqual({ error: 'priority is "interactive" or "batch"' });
    expect(missing.status).toBe(404);
  });

  test("is listed newest first, page by page", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push(await submit(foreman.url, chat(`${i}`)));

    const first = (await (await fetch(`${foreman.url}/jobs?limit=3`)).json()) as {
      jobs: JobDocument[];
      next: number;
    };
    const second = (await (
      await fetch(`${foreman.url}/jobs?limit=3&after=${first.next}`)
    ).json()) as typeof first;

    const listed = [...first.jobs, ...second.jobs].map(({ job_id }) => job_id);
    expect(listed).toEqual(ids.toReversed());
    expect(second.next).toBeNull();
  });
});

describe("a batch item", () => {
  const batch = { models: [{ name: "llama3.2", tokenMs: 20, tokens: 50 }] };
  const asks = (url: string) =>
    fetch(`${url}/api/chat`, {
      method: "POST",
      body: JSON.stringify(chat("a person", { stream: false, options: { num_predict: 1 } })),
    });

  test("makes way for a person, and runs again from its place", async () => {
    const sim = await startSim(batch);
    const foreman = await startForeman(sim.url);
    const id = await submit(foreman.url, chat("item", { priority: "batch" }));
    await until("it works", async () => (await show(foreman.url, id)).state === "working");

    const startedAtMs = performance.now();
    expect((await asks(foreman.url)).status).toBe(200);
    const waitedMs = performance.now() - startedAtMs;

    expect(await ended(foreman.url, id)).toMatchObject({ state: "done", attempts: 1 });
    expect(waitedMs).toBeLessThan(600);
    const order = requestsTo(sim.journal.events, "/api/chat").length;
    expect(order).toBe(3);
    // As it should be: who looks for what went wrong does not find it.
    expect(foreman.logged.filter(({ level }) => Number(level) > 30)).toEqual([]);
  });

  test("runs on when preemption is off", async () => {
    const sim = await startSim(batch);
    const foreman = await startForeman(sim.url, { FOREMAN_PREEMPT_WITHIN: "0" });
    const id = await submit(foreman.url, chat("item", { priority: "batch" }));
    await until("it works", async () => (await show(foreman.url, id)).state === "working");

    await asks(foreman.url);

    expect((await show(foreman.url, id)).state).toBe("done");
    expect(requestsTo(sim.journal.events, "/api/chat").length).toBe(2);
  });
});

describe("an Idempotency-Key", () => {
  const ask = (url: string, key: string, body: object) =>
    fetch(`${url}/api/chat`, {
      method: "POST",
      headers: { "Idempotency-Key": key },
      body: JSON.stringify(body),
    });

  test("joins a retry to the running generation, from its beginning", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 20, tokens: 20 }] });
    const foreman = await startForeman(sim.url);

    const first = ask(foreman.url, "k", chat("hello"));
    await until("it runs", () => sim.journal.events.some(({ kind }) => kind === "token"));
    const second = ask(foreman.url, "k", chat("hello"));
    const texts = await Promise.all([first, second].map(async (each) => await (await each).text()));
    const third = await (await ask(foreman.url, "k", chat("hello"))).text();

    expect(texts[0]).toContain('"done":true');
    expect(texts[1]).toBe(texts[0]);
    expect(third).toBe(texts[0]);
    expect(requestsTo(sim.journal.events, "/api/chat").length).toBe(1);
  });

  test("keeps the job when its client leaves, and refuses another body under it", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 20, tokens: 20 }] });
    const foreman = await startForeman(sim.url);
    const leaver = new AbortController();
    const left = fetch(`${foreman.url}/api/chat`, {
      method: "POST",
      headers: { "Idempotency-Key": "k" },
      body: JSON.stringify(chat("hello")),
      signal: leaver.signal,
    }).catch(() => null);
    await until("it runs", () => sim.journal.events.some(({ kind }) => kind === "token"));
    leaver.abort();
    await left;

    const again = await (await ask(foreman.url, "k", chat("hello"))).text();
    const other = await ask(foreman.url, "k", chat("something else"));

    expect(again).toContain('"done":true');
    expect(requestsTo(sim.journal.events, "/api/chat").length).toBe(1);
    expect(other.status).toBe(409);
  });
});
