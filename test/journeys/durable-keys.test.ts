/** What a first attempt to break durable jobs broke. */
import { describe, expect, test } from "vitest";
import { requestsTo } from "../support/sim-ollama/journal-queries.ts";
import { type RunningForeman, startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const chat = (content: string, more: object = {}) => ({
  model: "llama3.2",
  messages: [{ role: "user", content }],
  ...more,
});

const slow = { models: [{ name: "llama3.2", tokenMs: 20, tokens: 2_000 }] };

const ask = (foreman: RunningForeman, key: string, signal?: AbortSignal) =>
  fetch(`${foreman.url}/api/chat`, {
    method: "POST",
    headers: { "Idempotency-Key": key },
    body: JSON.stringify(chat(key)),
    ...(signal && { signal }),
  });

async function submit(foreman: RunningForeman, content: string, more: object = {}) {
  const body = JSON.stringify(chat(content, more));
  const answer = await fetch(`${foreman.url}/jobs`, { method: "POST", body });
  return ((await answer.json()) as { job_id: string }).job_id;
}

const waiting = async (foreman: RunningForeman) => {
  const health = (await (await fetch(`${foreman.url}/healthz`)).json()) as {
    queue: { waiting: number };
  };
  return health.queue.waiting;
};

const cancel = (foreman: RunningForeman, id: string) =>
  fetch(`${foreman.url}/jobs/${id}/cancel`, { method: "POST" });

describe("a client that waits under a key", () => {
  test("hears the good attempt alone when it comes back after one that broke", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 10, tokens: 20 }] });
    const foreman = await startForeman(sim.url, {}, { random: () => 0.3 });
    const direct = await (
      await fetch(`${sim.url}/api/chat`, { method: "POST", body: JSON.stringify(chat("k")) })
    ).text();
    sim.fail({ route: "/api/chat", times: 1, fault: { kind: "reset-after-tokens", tokens: 5 } });
    const leaver = new AbortController();
    const left = ask(foreman, "k", leaver.signal).catch(() => null);
    await until("it runs", () => requestsTo(sim.journal.events, "/api/chat").length === 2);
    leaver.abort();
    await left;
    await until("it was put back", () => foreman.logged.some(({ msg }) => msg === "job put back"));

    const answer = await (await ask(foreman, "k")).text();

    const words = (text: string) =>
      [...text.matchAll(/"content":"([^"]*)"/g)].map(([, word]) => word);
    expect(words(answer)).toEqual(words(direct));
    expect(answer).toContain('"done":true');
  });

  test("is turned away at once when foreman goes, and its job stays", async () => {
    const sim = await startSim(slow);
    const foreman = await startForeman(sim.url, { FOREMAN_DRAIN_TIMEOUT: "400ms" });
    const running = submit(foreman, "runs");
    await until("it runs", () => sim.journal.events.some(({ kind }) => kind === "token"));
    const asked = ask(foreman, "waits");
    await until("it waits", async () => (await waiting(foreman)) === 1);

    const stopped = foreman.stop();

    expect((await asked).status).toBe(503);
    await running;
    expect(await stopped).toEqual([]);
  });

  test("counts as one that waits, and waits no longer than anybody", async () => {
    const sim = await startSim(slow);
    const foreman = await startForeman(sim.url, {
      FOREMAN_QUEUE_MAX: "3",
      FOREMAN_QUEUE_TIMEOUT: "700ms",
      FOREMAN_DRAIN_TIMEOUT: "100ms",
    });
    const occupier = await submit(foreman, "occupies");
    await until("it runs", () => sim.journal.events.some(({ kind }) => kind === "token"));

    const answers = await Promise.all(["a", "b", "c", "d", "e"].map((key) => ask(foreman, key)));

    const errors = await Promise.all(
      answers.map(async (answer) => ((await answer.json()) as { error: string }).error),
    );
    expect(answers.every(({ status }) => status === 503)).toBe(true);
    expect(errors.filter((error) => error.startsWith("server busy")).length).toBe(2);
    expect(errors.filter((error) => error.includes("FOREMAN_QUEUE_TIMEOUT")).length).toBe(3);
    await cancel(foreman, occupier);
  });

  test("is told the same of a cancelled job, whether it waits or comes later", async () => {
    const sim = await startSim(slow);
    const foreman = await startForeman(sim.url);
    const running = await submit(foreman, "runs");
    const asked = ask(foreman, "k");
    await until("it waits", async () => (await waiting(foreman)) === 1);
    const list = await (await fetch(`${foreman.url}/jobs?state=queued`)).json();
    const [job] = (list as { jobs: { job_id: string }[] }).jobs;

    await cancel(foreman, job?.job_id ?? "");

    expect((await asked).status).toBe(409);
    const later = await ask(foreman, "k");
    expect(later.status).toBe(409);
    expect(await later.text()).toContain(`job ${job?.job_id}: `);
    await cancel(foreman, running);
  });

  test("is told when somebody cancels its job far back in the store", async () => {
    const sim = await startSim(slow);
    const foreman = await startForeman(sim.url, { FOREMAN_DRAIN_TIMEOUT: "100ms" });
    for (let i = 0; i < 80; i++) await submit(foreman, `${i}`);
    const asked = ask(foreman, "last");
    await until("it waits", async () => (await waiting(foreman)) === 80);
    const { jobs } = (await (await fetch(`${foreman.url}/jobs?limit=1`)).json()) as {
      jobs: { job_id: string }[];
    };

    await cancel(foreman, jobs[0]?.job_id ?? "");

    expect((await asked).status).toBe(409);
  });
});

describe("hundreds of jobs cancelled at once", () => {
  test("leave the others to run, and the count true", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 0, tokens: 2 }] });
    const foreman = await startForeman(sim.url, { FOREMAN_LOG_LEVEL: "warn" });
    await sim.down();
    const ids = await Promise.all(Array.from({ length: 400 }, (_, i) => submit(foreman, `${i}`)));
    await until("all wait", async () => (await waiting(foreman)) === 400);

    await Promise.all(ids.filter((_, i) => i % 3 !== 0).map((id) => cancel(foreman, id)));
    const left = await waiting(foreman);
    await sim.up();
    await until(
      "the rest is done",
      async () => {
        const page = await fetch(`${foreman.url}/jobs?state=done&limit=1000`);
        return ((await page.json()) as { jobs: unknown[] }).jobs.length === 134;
      },
      20_000,
    );

    expect(left).toBe(134);
    expect(await waiting(foreman)).toBe(0);
  }, 40_000);
});
