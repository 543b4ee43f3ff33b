/** Webhooks of the whole daemon, posted to a real HTTP server. */
import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { answersWith, type Received, Receiver, staysSilent, takes } from "../support/receiver.ts";
import { maxConcurrent } from "../support/sim-ollama/journal-queries.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";
import { allowing, chat, isEnd, saying, show, statusOf, submit } from "../support/webhook-scene.ts";

const plainSecret = "a secret of one's own".replaceAll(" ", "-");
const standardSecret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

describe("a job with a state_webhook_url", () => {
  test("has each of its states told once, in order, with its result at the end", async () => {
    const sim = await startSim();
    const receiver = await Receiver.open();
    const foreman = await startForeman(sim.url, allowing(receiver));

    const id = await submit(foreman.url, chat(receiver.url));
    await until("it is told to its end", () => receiver.states.some(isEnd));
    await until("nothing is left", async () => (await show(foreman.url, id)).webhooks_left === 0);

    const job = await show(foreman.url, id);
    expect(receiver.states).toEqual(["queued", "loading", "working", "done"]);
    expect(receiver.ids).toHaveLength(4);
    const documents = receiver.received.map(({ document }) => document);
    expect(documents.map(({ attempt }) => attempt)).toEqual([0, 1, 1, 1]);
    const untold = { error: null, result: null, artifacts: [] };
    const common = { job_id: id, model: "llama3.2", timestamp: expect.stringMatching(/Z$/) };
    expect(documents.slice(0, 3)).toEqual([
      { ...common, ...untold, state: "queued", previous_state: null, attempt: 0 },
      { ...common, ...untold, state: "loading", previous_state: "queued", attempt: 1 },
      { ...common, ...untold, state: "working", previous_state: "loading", attempt: 1 },
    ]);
    expect(documents[3]).toEqual({
      ...common,
      ...{ state: "done", previous_state: "working", attempt: 1, error: null },
      result: job.result,
      artifacts: job.artifacts,
    });
    expect(receiver.received[0]).toMatchObject({
      path: "/hooks?from=foreman",
      headers: { "content-type": "application/json" },
    });
  });

  test("that fails, or is cancelled, says why", async () => {
    const sim = await startSim();
    const receiver = await Receiver.open();
    const foreman = await startForeman(sim.url, {
      ...allowing(receiver),
      FOREMAN_MAX_ATTEMPTS: "1",
    });
    sim.fail({
      route: "/api/chat",
      times: 1,
      fault: { kind: "answer", status: 500, body: '{"error":"out of memory"}' },
    });
    const failed = await submit(foreman.url, chat(receiver.url));
    await until("it failed", () => receiver.states.includes("failed"));
    await sim.down();
    const waiting = await submit(foreman.url, chat(receiver.url));
    await fetch(`${foreman.url}/jobs/${waiting}/cancel`, { method: "POST" });
    await until("it is cancelled", () => receiver.states.includes("cancelled"));

    const endOf = (id: string) =>
      receiver.received.map(({ document }) => document).findLast(({ job_id }) => job_id === id);
    expect(endOf(failed)).toMatchObject({ error: { code: "target_failed" }, result: null });
    expect(endOf(waiting)).toMatchObject({
      state: "cancelled",
      error: { code: "cancelled_by_user", message: expect.any(String) },
    });
    expect((await show(foreman.url, failed)).error).toEqual(endOf(failed)?.error);
  });

  test("with a large answer leaves it to be fetched, as GET /jobs/{id} does", async () => {
    const pieces = [...Array.from({ length: 256 }, () => "x".repeat(2 ** 10)), "y"];
    const sim = await startSim();
    const receiver = await Receiver.open();
    const foreman = await startForeman(sim.url, allowing(receiver));
    const lines = pieces.map((content) => ({ message: { content }, done: content === "y" }));
    const body = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    const headers = [["Content-Type", "application/x-ndjson"]] as const;
    const fault = { kind: "answer", status: 200, headers, body } as const;
    sim.fail({ route: "/api/chat", times: 1, fault });

    await submit(foreman.url, chat(receiver.url));
    await until("it is done", () => receiver.states.includes("done"));

    const { artifacts, result } = receiver.received.at(-1)!.document;
    expect(result).toBeNull();
    const completion = artifacts.find(({ name }) => name === "completion");
    expect(await (await fetch(foreman.url + completion?.url)).text()).toBe(pieces.join(""));
  });
});

describe("what a receiver can check", () => {
  const hmacOf = (key: string | Buffer, { body }: Received) =>
    `sha256=${createHmac("sha256", key).update(body).digest("hex")}`;

  test.each([
    ["in base64", standardSecret, new Webhook(standardSecret), Buffer.alloc(32, 7)],
    ["of one's own", plainSecret, new Webhook(plainSecret, { format: "raw" }), plainSecret],
  ])("with a secret %s are both signatures", async (_kind, secret, library, key) => {
    const sim = await startSim();
    const receiver = await Receiver.open();
    const foreman = await startForeman(sim.url, {
      ...allowing(receiver),
      FOREMAN_WEBHOOK_SECRET: secret,
    });

    await submit(
      foreman.url,
      chat(receiver.url, { messages: [{ role: "user", content: "ä€😀" }] }),
    );
    await until("it is done", () => receiver.states.includes("done"));

    for (const received of receiver.received) {
      const headers = received.headers as Record<string, string>;
      expect(library.verify(received.body, headers)).toEqual(received.document);
      expect(headers["x-foreman-signature"]).toBe(hmacOf(key, received));
      const forged = Buffer.concat([received.body, Buffer.from(" ")]);
      expect(() => library.verify(forged, headers)).toThrow("No matching signature");
    }
    expect(JSON.stringify(foreman.logged)).not.toContain(secret);
  });

  test("without a secret is the id alone, and the log says that nothing is signed", async () => {
    const sim = await startSim();
    const receiver = await Receiver.open();
    const foreman = await startForeman(sim.url, allowing(receiver));

    await submit(foreman.url, chat(receiver.url));
    await until("it is told", () => receiver.received.length > 0);

    const { headers } = receiver.received[0]!;
    expect(headers["webhook-id"]).toMatch(/^msg_\w{26}_1$/);
    expect(headers).not.toHaveProperty("webhook-signature");
    expect(headers).not.toHaveProperty("x-foreman-signature");
    expect(saying(foreman, "webhooks go out unsigned")).toHaveLength(1);
  });
});

describe("a receiver", () => {
  test("that was down is told everything once it is back, in order, by the same ids", async () => {
    const sim = await startSim();
    const receiver = await Receiver.open();
    const foreman = await startForeman(sim.url, allowing(receiver));
    await receiver.down();
    const id = await submit(foreman.url, chat(receiver.url));
    await until("the job is done", async () => (await show(foreman.url, id)).state === "done");
    await until("a try failed", async () => (await statusOf(foreman.url)).webhooks.left === 4);
    await until("it is said", () => saying(foreman, "webhook not received").length > 0);

    const { webhooks } = await statusOf(foreman.url);
    expect((await show(foreman.url, id)).webhooks_left).toBe(4);
    expect(webhooks).toMatchObject({ left: 4, oldest_at: expect.stringMatching(/Z$/) });
    expect(webhooks.failing).toEqual([
      {
        receiver: `http://127.0.0.1:${receiver.port}`,
        failures: 1,
        last_error: expect.stringContaining("ECONNREFUSED"),
      },
    ]);
    await receiver.up();
    await until("all is told", () => receiver.states.includes("done"), 10_000);

    expect(receiver.states).toEqual(["queued", "loading", "working", "done"]);
    expect(receiver.ids).toEqual([1, 2, 3, 4].map((n) => `msg_${id}_${n}`));
    await until("the status is clear", async () => {
      const after = (await statusOf(foreman.url)).webhooks;
      return after.left === 0 && after.failing.length === 0 && after.oldest_at === null;
    });
  });

  test("that is dead holds up neither other receivers nor the jobs, nor has it a slot", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokens: 2, tokenMs: 1 }] });
    const dead = await Receiver.open(staysSilent);
    const alive = await Receiver.open();
    const foreman = await startForeman(sim.url, allowing(dead, alive));

    const toDead: string[] = [];
    for (let i = 0; i < 30; i++) toDead.push(await submit(foreman.url, chat(dead.url)));
    const toAlive: string[] = [];
    for (let i = 0; i < 5; i++) toAlive.push(await submit(foreman.url, chat(alive.url)));
    await until("those of the living are told whole", () => {
      return alive.states.filter((state) => state === "done").length === 5;
    });
    for (const id of toDead) {
      await until("its job is done", async () => (await show(foreman.url, id)).state === "done");
    }

    expect(dead.received.length).toBeLessThanOrEqual(4);
    for (const id of toAlive) expect((await show(foreman.url, id)).state).toBe("done");
    expect(maxConcurrent(sim.journal.events, "generate")).toBe(1);
    const { running, slots, webhooks } = await statusOf(foreman.url);
    expect({ running, slots, left: webhooks.left }).toEqual({ running: [], slots: 1, left: 120 });
    expect(await foreman.stop()).toEqual([]);
  }, 30_000);

  test("that answers 410 hears nothing more of that job, and the job runs on", async () => {
    const sim = await startSim();
    const receiver = await Receiver.open(answersWith(410));
    const foreman = await startForeman(sim.url, allowing(receiver));

    const id = await submit(foreman.url, chat(receiver.url));
    await until("the job is done", async () => (await show(foreman.url, id)).state === "done");
    await until("its webhook ended", async () => {
      return (await show(foreman.url, id)).webhooks_left === null;
    });
    receiver.answers = takes;
    const other = await submit(foreman.url, chat(receiver.url));
    await until("the other is told", () => receiver.states.includes("done"));

    const told = receiver.received.filter(({ document }) => document.job_id === id);
    expect(told).toHaveLength(1);
    expect((await show(foreman.url, other)).webhooks_left).not.toBeNull();
    expect(saying(foreman, "webhook given up")).toHaveLength(1);
  });
});

describe("foreman going", () => {
  test("leaves what was not told for its next life, and goes though a receiver hangs", async () => {
    const sim = await startSim();
    const receiver = await Receiver.open((received, response) => {
      (received.document.state === "working" ? staysSilent : takes)(received, response);
    });
    const first = await startForeman(sim.url, allowing(receiver));
    const id = await submit(first.url, chat(receiver.url));
    await until("it hangs", () => receiver.states.includes("working"));

    const startedAtMs = performance.now();
    expect(await first.stop()).toEqual([]);
    expect(performance.now() - startedAtMs).toBeLessThan(8_000);
    receiver.answers = takes;
    const second = await startForeman(sim.url, {
      ...allowing(receiver),
      FOREMAN_DB: first.databaseFile,
    });
    await until("it is told whole", () => receiver.states.includes("done"));

    expect(receiver.states.slice(0, 4)).toEqual(["queued", "loading", "working", "working"]);
    expect(receiver.ids).toContain(`msg_${id}_3`);
    const tried = receiver.received.filter(
      ({ headers }) => headers["webhook-id"] === `msg_${id}_3`,
    );
    expect(new Set(tried.map(({ body }) => body.toString())).size).toBe(1);
    await until("nothing is left", async () => (await show(second.url, id)).webhooks_left === 0);
  });
});
