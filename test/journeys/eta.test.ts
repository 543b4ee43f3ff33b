/**
 * How good the expected start is. Thirty jobs of three clients and two models, of which one is
 * loaded at a time, with answers of 20 to 60 tokens: the starts foretold when all of them wait are
 * held against those that came.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

type JobDocument = {
  readonly job_id: string;
  readonly state: string;
  readonly position: number | null;
  readonly eta_ms: number | null;
  readonly started_at: string | null;
};

const models = ["a", "b"].map((name) => ({ name, loadMs: 300, tokenMs: 5 }));

/** The median of these factors by which a forecast may miss. */
const medianFactorMax = 1.5;

async function submit(url: string, i: number, tokens = 20 + ((i * 17) % 41)): Promise<string> {
  const content = `job ${i} [[tokens=${tokens}]]`;
  const body = { model: i % 2 === 0 ? "a" : "b", messages: [{ role: "user", content }] };
  const headers = { "X-OpenWebUI-User-Id": `client ${i % 3}` };
  const answer = await fetch(`${url}/jobs`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  return ((await answer.json()) as JobDocument).job_id;
}

async function listed(url: string): Promise<readonly JobDocument[]> {
  const page = (await (await fetch(`${url}/jobs?limit=100`)).json()) as { jobs: JobDocument[] };
  return page.jobs;
}

const allDone = async (url: string) => (await listed(url)).every(({ state }) => state === "done");

/** By how many times the longer of the two is the longer; a second more or less is no matter. */
const factorOf = (one: number, other: number) =>
  (Math.max(one, other) + 100) / (Math.min(one, other) + 100);

describe("the expected start of a waiting job", () => {
  test("is right within a factor of 1.5 for half of 30 jobs that all wait", async () => {
    const sim = await startSim({ models, maxLoadedModels: 1 });
    const foreman = await startForeman(sim.url);
    const { url } = foreman;
    for (let i = 0; i < 12; i++) await submit(url, i);
    await until("the first 12 are done", () => allDone(url), 20_000);

    const ids = new Set<string>();
    for (let i = 0; i < 30; i++) ids.add(await submit(url, i));
    const askedAtMs = Date.now();
    const foretold = (await listed(url)).filter(
      (job) => ids.has(job.job_id) && job.state === "queued",
    );
    await until("all are done", () => allDone(url), 40_000);

    const startedAtMs = new Map(
      (await listed(url)).map((job) => [job.job_id, Date.parse(job.started_at ?? "")]),
    );
    expect(foretold.length).toBeGreaterThanOrEqual(25);
    expect(foretold.map(({ eta_ms }) => eta_ms)).not.toContain(null);
    const factors = foretold
      .map(({ eta_ms, job_id }) => factorOf(eta_ms!, startedAtMs.get(job_id)! - askedAtMs))
      .sort((one, other) => one - other);
    const median = factors[Math.floor(factors.length / 2)]!;
    expect(median).toBeLessThanOrEqual(medianFactorMax);
  }, 60_000);

  test("is told in the next life too, by what was measured in this one", async () => {
    const sim = await startSim({ models });
    const folder = await mkdtemp(join(tmpdir(), "foreman-eta-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const settings = { FOREMAN_DB: join(folder, "foreman.db") };
    const first = await startForeman(sim.url, settings);
    await submit(first.url, 0);
    await until("it is done", () => allDone(first.url));
    await first.stop();

    const { url } = await startForeman(sim.url, settings);
    await submit(url, 0, 600);
    for (let i = 1; i < 3; i++) await submit(url, 2 * i);

    const waiting = (await listed(url)).filter(({ state }) => state === "queued");
    expect(waiting.length).toBeGreaterThanOrEqual(2);
    expect(waiting.map(({ eta_ms }) => eta_ms)).not.toContain(null);
    await until("all are done", () => allDone(url), 10_000);
  });
});
