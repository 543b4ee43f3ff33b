import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Status } from "../../src/wire/status.ts";
import { overlaps } from "../support/sim-ollama/journal-queries.ts";
import type { SimOllama } from "../support/sim-ollama/sim-ollama.ts";
import { type RunningForeman, startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

// Names of one blob: `alpha` and `beta` differ in their system prompts alone, `short` has another
// num_ctx in its Modelfile. How Ollama takes them is in sim-ollama/reload.test.ts.

const base = { name: "base", loadMs: 60, tokens: 3, tokenMs: 2 };
const other = { ...base, name: "other" };

async function simWithAliases(): Promise<SimOllama> {
  const sim = await startSim({ models: [base, other], maxLoadedModels: 1 });
  await create(sim, "alpha", { system: "You are A" });
  await create(sim, "beta", { system: "You are B", template: "{{ .Prompt }}!" });
  await create(sim, "short", { parameters: { num_ctx: 1_024 } });
  return sim;
}

async function create(at: { readonly url: string }, model: string, more: object, from = "base") {
  const answer = await post(`${at.url}/api/create`, { model, from, stream: false, ...more });
  expect(answer.status).toBe(200);
}

const post = (url: string, body: object) =>
  fetch(url, { method: "POST", body: JSON.stringify(body) });

type Scene = { readonly sim: SimOllama; readonly foreman: RunningForeman };

/** Sends a chat; resolves when it is answered. */
async function chat({ url }: RunningForeman, model: string, more: object = {}): Promise<number> {
  const messages = [{ role: "user", content: "hi" }];
  const answer = await post(`${url}/api/chat`, { model, messages, stream: false, ...more });
  await answer.text();
  return answer.status;
}

/** Takes a slot with a generation on `first`, and has chats wait behind it in this order. */
async function chatInOrder(
  { foreman, sim }: Scene,
  first: string,
  rest: readonly (readonly [model: string, more?: object])[],
): Promise<void> {
  const stall = sim.fail({ route: "/api/generate", times: 1, fault: { kind: "stall" } });
  const running = post(`${foreman.url}/api/generate`, { model: first, prompt: "hi" });
  await until("the slot is taken", () => stall.hitCount === 1);
  const waiting: Promise<number>[] = [];
  for (const [model, more] of rest) {
    waiting.push(chat(foreman, model, more));
    await until("it waits", () => isLogged(foreman, "job queued", waiting.length + 1));
  }
  stall.release();
  const statuses = [(await running).status, ...(await Promise.all(waiting))];
  expect(new Set(statuses)).toEqual(new Set([200]));
}

function isLogged({ logged }: RunningForeman, message: string, count: number): boolean {
  return logged.filter(({ msg }) => msg === message).length >= count;
}

const statusOf = async ({ url }: RunningForeman) =>
  (await (await fetch(`${url}/foreman/status`)).json()) as Status;

const learned = (foreman: RunningForeman, count: number) =>
  until("the runners are known", () => isLogged(foreman, "runner learned", count));

const loads = ({ journal }: SimOllama) =>
  journal.events.filter(({ kind }) => kind === "load-start").length;

const order = ({ journal }: SimOllama) =>
  journal.events.filter(({ kind }) => kind === "generate-start").map(({ model }) => model);

describe("names of one blob", () => {
  test("alternate in their order, on one load", async () => {
    const sim = await simWithAliases();
    const foreman = await startForeman(sim.url);
    await learned(foreman, 5);
    const names = ["beta", "alpha", "beta", "base", "alpha", "beta"];

    await chatInOrder(
      { foreman, sim },
      "alpha",
      names.map((name) => [name]),
    );

    expect(order(sim)).toEqual(["alpha", ...names]);
    expect(loads(sim)).toBe(1);
  });

  test("share what is loaded also when the target lists it under another of them", async () => {
    const sim = await simWithAliases();
    const foreman = await startForeman(sim.url);
    await learned(foreman, 5);
    await post(`${sim.url}/api/generate`, { model: "beta" });

    await chatInOrder({ foreman, sim }, "alpha", [["other"], ["alpha"], ["base"]]);

    expect(order(sim)).toEqual(["alpha", "alpha", "base", "other"]);
    expect(loads(sim)).toBe(2);
  });

  test("with another num_ctx cost a load each time, so their work is done together", async () => {
    const sim = await simWithAliases();
    const foreman = await startForeman(sim.url);
    await learned(foreman, 5);

    await chatInOrder({ foreman, sim }, "alpha", [
      ["short"],
      ["beta"],
      ["short"],
      ["base"],
      ["short"],
    ]);

    expect(order(sim)).toEqual(["alpha", "beta", "base", "short", "short", "short"]);
    expect(loads(sim)).toBe(2);
  });

  test("are one again when the request asks for the same num_ctx", async () => {
    const sim = await simWithAliases();
    const foreman = await startForeman(sim.url);
    await learned(foreman, 5);
    const shorter = { options: { num_ctx: 1_024 } };
    const longer = { options: { num_ctx: 8_192 } };

    await chatInOrder({ foreman, sim }, "short", [
      ["alpha", shorter],
      ["short"],
      ["short", longer],
      ["beta", shorter],
      ["base", longer],
    ]);

    expect(order(sim)).toEqual(["short", "alpha", "short", "beta", "short", "base"]);
    expect(loads(sim)).toBe(2);
  });

  test("are told apart by the names that people asked for", async () => {
    const sim = await simWithAliases();
    const foreman = await startForeman(sim.url);
    await learned(foreman, 5);
    const stall = sim.fail({ route: "/api/generate", times: 1, fault: { kind: "stall" } });
    const running = post(`${foreman.url}/api/generate`, { model: "beta", prompt: "hi" });
    await until("the slot is taken", () => stall.hitCount === 1);
    const waiting = [chat(foreman, "short"), chat(foreman, "alpha")];
    await until("they came", () => isLogged(foreman, "job queued", 3));

    const status = await statusOf(foreman);
    stall.release();
    await Promise.all([running, ...waiting]);

    const reasons = new Map(status.waiting.map(({ model, reason }) => [model, reason]));
    expect(reasons.get("alpha:latest")).toBe("1 ahead, same model");
    expect(reasons.get("short:latest")).toMatch(/^waits for a model swap: beta:latest is running/);
    const { swaps } = await statusOf(foreman);
    expect(swaps.recent.map(({ to }) => to).toReversed()).toEqual(["beta:latest", "short:latest"]);
  });

  test("are told of loads by the names that asked for them, when nobody does any more", async () => {
    const sim = await simWithAliases();
    const foreman = await startForeman(sim.url);
    await learned(foreman, 5);
    const asked = ["beta", "other", "alpha", "short", "base"];

    for (const model of asked) expect(await chat(foreman, model)).toBe(200);

    const { swaps } = await statusOf(foreman);
    const told = swaps.recent.map(({ from, to }) => [from, to]).toReversed();
    expect(told).toEqual(
      asked.map((model, i) => [i === 0 ? null : `${asked[i - 1]}:latest`, `${model}:latest`]),
    );
  });

  test("are learned when they are made, without a request having waited for it", async () => {
    const sim = await simWithAliases();
    const foreman = await startForeman(sim.url);
    await learned(foreman, 5);

    await create(foreman, "gamma", { system: "You are C" });
    await learned(foreman, 6);
    await chatInOrder({ foreman, sim }, "gamma", [["alpha"], ["gamma"]]);

    expect(order(sim)).toEqual(["gamma", "alpha", "gamma"]);
  });
});

describe("names whose blobs are not known", () => {
  const page = { kind: "answer", status: 502, body: "<html>Bad Gateway</html>" } as const;
  const old = { kind: "answer", status: 404, body: "404 page not found" } as const;
  const odd = { kind: "answer", status: 200, body: '{"modelfile":"FROM base:latest\\n"}' } as const;

  test.each([
    ["an old target does not tell", old],
    ["a proxy answers in its place", page],
    ["they are none", odd],
  ])("because %s, are runners of their own, and all are served", async (_, fault) => {
    const sim = await simWithAliases();
    sim.fail({ route: "/api/show", fault });
    const foreman = await startForeman(sim.url, { FOREMAN_CHAT_SLOTS: "2" });

    await chatInOrder({ foreman, sim }, "alpha", [["beta"], ["short"], ["alpha"], ["beta"]]);

    expect(order(sim).toSorted()).toEqual(["alpha", "alpha", "beta", "beta", "short"]);
    expect(overlaps(sim.journal.events, 2)).toEqual([]);
  });

  test("because the target takes its time, keep nobody waiting", async () => {
    const sim = await simWithAliases();
    const stall = sim.fail({ route: "/api/show", fault: { kind: "stall" } });
    const foreman = await startForeman(sim.url);
    await until("it was asked", () => stall.hitCount > 0);

    expect(await chat(foreman, "alpha")).toBe(200);
    expect(await chat(foreman, "beta")).toBe(200);
    expect(isLogged(foreman, "runner learned", 1)).toBe(false);
  });
});

describe("jobs that wait when their runners become known", () => {
  test("are never at the target with another runner's, whatever they were taken for", async () => {
    const sim = await simWithAliases();
    const stall = sim.fail({ route: "/api/show", fault: { kind: "stall" } });
    const foreman = await startForeman(sim.url, { FOREMAN_CHAT_SLOTS: "3" });
    const names = ["alpha", "short", "beta", "base", "other"];
    const options = [{}, { num_ctx: 1_024 }, { num_ctx: 2_048 }];

    const asked = Array.from({ length: 60 }, (_, i) => {
      const more = { options: options[i % 3], stream: false };
      const messages = [{ role: "user", content: `${i}` }];
      const model = names[i % 5] ?? "";
      return i % 2 === 0
        ? chat(foreman, model, more)
        : post(`${foreman.url}/jobs`, { model, messages, priority: "batch", ...more });
    });
    await until("some have run", () => order(sim).length > 10, 20_000);
    const countBefore = order(sim).length;
    stall.release();
    await learned(foreman, 5);
    await Promise.all(asked);
    await until("all are done", () => order(sim).length === 60, 20_000);

    expect(countBefore).toBeLessThan(50);
    expect(overlaps(sim.journal.events, 3)).toEqual([]);
  }, 30_000);

  test("share the runner also when an earlier life of the daemon took them in", async () => {
    const folder = await mkdtemp(join(tmpdir(), "foreman-aliases-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const settings = { FOREMAN_DB: join(folder, "foreman.db"), FOREMAN_POLL_INTERVAL: "100ms" };
    const sim = await simWithAliases();
    const first = await startForeman(sim.url, settings);
    await learned(first, 5);
    await sim.down();
    await until(
      "away",
      async () => (await fetch(`${first.url}/healthz?require=target`)).status === 503,
    );
    const messages = [{ role: "user", content: "hi" }];
    for (const model of ["alpha", "short", "beta", "short", "alpha"]) {
      expect((await post(`${first.url}/jobs`, { model, messages })).status).toBe(202);
    }
    await first.stop();

    await sim.up();
    const second = await startForeman(sim.url, settings);
    await learned(second, 5);
    await until("all are done", () => order(sim).length === 5);

    expect(order(sim)).toHaveLength(5);
    expect(loads(sim)).toBeLessThanOrEqual(3);
    expect(overlaps(sim.journal.events)).toEqual([]);
  });
});

describe("a name that is given to another blob", () => {
  test("while a job runs on the old one, has its next job wait for that", async () => {
    const sim = await simWithAliases();
    await create(sim, "moving", {});
    const foreman = await startForeman(sim.url, { FOREMAN_CHAT_SLOTS: "2" });
    await learned(foreman, 6);
    const fault = { kind: "stall-after-tokens", tokens: 1 } as const;
    const stall = sim.fail({ route: "/api/generate", fault });
    const running = post(`${foreman.url}/api/generate`, { model: "moving", prompt: "hi" });
    await until("it runs", () => order(sim).length === 1);

    await create(foreman, "moving", {}, "other");
    await learned(foreman, 7);
    const waiting = [chat(foreman, "moving"), chat(foreman, "other")];
    await until("they came", () => isLogged(foreman, "job queued", 3));
    const status = await statusOf(foreman);
    stall.release();

    expect(status.running).toHaveLength(1);
    expect(status.waiting.map(({ model }) => model)).toEqual(["moving:latest", "other:latest"]);
    expect([(await running).status, ...(await Promise.all(waiting))]).toEqual([200, 200, 200]);
    expect(overlaps(sim.journal.events, 2)).toEqual([]);
    expect(loads(sim)).toBe(2);
  });
});
