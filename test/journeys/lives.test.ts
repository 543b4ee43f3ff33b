/** The daemon as a process: how it starts, drains, dies and comes back. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { DaemonProcess } from "../support/daemon-process.ts";
import { freePort } from "../support/free-port.ts";
import { RawClient } from "../support/raw-client.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const chat = (content: string) => ({
  model: "llama3.2",
  messages: [{ role: "user", content }],
});

async function settingsFor(targetUrl: string) {
  const folder = await mkdtemp(join(tmpdir(), "foreman-life-"));
  const port = await freePort();
  const settings = {
    FOREMAN_ADDR: `127.0.0.1:${port}`,
    FOREMAN_OLLAMA_URL: targetUrl,
    FOREMAN_DB: join(folder, "foreman.db"),
  };
  return { settings, port, url: `http://127.0.0.1:${port}` };
}

function statesIn(file: string): Record<string, number> {
  const database = new Database(file, { readonly: true });
  const rows = database
    .prepare("SELECT state, end_reason AS reason, count(*) AS n FROM job GROUP BY 1, 2")
    .all();
  database.close();
  return Object.fromEntries(
    (rows as { state: string; reason: string | null; n: number }[]).map(({ n, reason, state }) => [
      reason === null ? state : `${state}: ${reason}`,
      n,
    ]),
  );
}

const waitingIn = async (url: string) => {
  const health = (await (await fetch(`${url}/healthz`)).json()) as { queue: { waiting: number } };
  return health.queue.waiting;
};

describe("a daemon that is killed with a full queue", () => {
  test("comes back at once, and what waited on its sockets is cancelled, not run", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 20, tokens: 300 }] });
    const { port, settings, url } = await settingsFor(sim.url);
    const first = new DaemonProcess({ ...settings, FOREMAN_QUEUE_MAX: "20" });
    await first.listening(url);
    const clients = Array.from({ length: 21 }, (_, i) =>
      new RawClient(port).post("/api/chat", chat(`${i}`)),
    );
    await until("the queue is full", async () => (await waitingIn(url)) === 20);
    const started = () => sim.journal.events.filter(({ kind }) => kind === "generate-start").length;
    await until("one runs", () => started() === 1);
    await until("rows", () => statesIn(settings.FOREMAN_DB).queued === 20);

    first.kill("SIGKILL");
    await first.exited();
    for (const client of clients) await client.over();
    const second = new DaemonProcess(settings);
    await second.listening(url);

    expect(statesIn(settings.FOREMAN_DB)).toEqual({ "cancelled: client_gone": 21 });
    expect(second.output).toContain('"cancelled":21');
    const answer = await fetch(`${url}/api/chat`, {
      method: "POST",
      body: JSON.stringify({ ...chat("again"), options: { num_predict: 1 } }),
    });
    expect(await answer.text()).toContain('"done":true');
    expect(started()).toBe(2);
  });
});

describe("a daemon that is asked to go", () => {
  test("X1 lets the running stream end, turns away who waits, and exits 0", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 20, tokens: 40 }] });
    const { port, settings, url } = await settingsFor(sim.url);
    const daemon = new DaemonProcess(settings);
    await daemon.listening(url);
    const running = new RawClient(port).post("/api/chat", chat("runs"));
    await running.received('"done":false');
    const waiting = Array.from({ length: 50 }, () =>
      new RawClient(port).post("/api/chat", chat("waits")),
    );
    await until("50 wait", async () => (await waitingIn(url)) === 50);

    daemon.kill("SIGTERM");
    for (const client of waiting) await client.received("503 Service Unavailable");
    const ready = await fetch(`${url}/readyz`);
    const refused = await fetch(`${url}/api/chat`, {
      method: "POST",
      body: JSON.stringify(chat("new")),
    });
    await running.received('"done":true');

    expect(ready.status).toBe(503);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).not.toBeNull();
    expect(await daemon.exited()).toBe(0);
    expect(running.text.endsWith("0\r\n\r\n")).toBe(true);
    expect(statesIn(settings.FOREMAN_DB)).toEqual({ "cancelled: shutdown": 50, done: 1 });
  });

  test("X1 cuts the stream that outlasts FOREMAN_DRAIN_TIMEOUT, visibly, and exits 0", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 20, tokens: 10_000 }] });
    const { port, settings, url } = await settingsFor(sim.url);
    const daemon = new DaemonProcess({ ...settings, FOREMAN_DRAIN_TIMEOUT: "300ms" });
    await daemon.listening(url);
    const running = new RawClient(port).post("/api/chat", chat("endless"));
    await running.received('"done":false');

    daemon.kill("SIGTERM");

    expect(await daemon.exited()).toBe(0);
    await running.over();
    expect(running.text).not.toContain('"done":true');
    // Not that Ollama did it: that would send somebody to look there.
    expect(running.text).toContain(
      '{"error":"foreman cut the answer off: foreman is shutting down',
    );
    expect(running.text.endsWith("0\r\n\r\n")).toBe(false);
    expect(statesIn(settings.FOREMAN_DB)).toEqual({ "cancelled: shutdown": 1 });
  });

  test("X2 exits at once at a second signal, and its rows are recovered at the next start", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 20, tokens: 10_000 }] });
    const { port, settings, url } = await settingsFor(sim.url);
    const daemon = new DaemonProcess(settings);
    await daemon.listening(url);
    await new RawClient(port).post("/api/chat", chat("endless")).received('"done":false');

    daemon.kill("SIGTERM");
    await until("it drains", () => daemon.output.includes("foreman draining"));
    daemon.kill("SIGTERM");

    expect(await daemon.exited()).toBe(1);
    await new DaemonProcess(settings).listening(url);
    expect(statesIn(settings.FOREMAN_DB)).toEqual({ "cancelled: client_gone": 1 });
    expect(await (await fetch(`${url}/metrics`)).text()).toContain(
      'foreman_jobs_total{class="interactive",state="cancelled",reason="client_gone"} 1\n',
    );
  });
});

describe("a daemon that cannot start", () => {
  test("Q10 exits within 2 s when another one has the database, and says so", async () => {
    const sim = await startSim();
    const { settings, url } = await settingsFor(sim.url);
    await new DaemonProcess(settings).listening(url);

    const startedAtMs = performance.now();
    const second = new DaemonProcess({ ...settings, FOREMAN_ADDR: "127.0.0.1:0" });

    expect(await second.exited()).toBe(75);
    expect(performance.now() - startedAtMs).toBeLessThan(3_000);
    expect(second.output).toMatch(/^foreman: .*foreman\.db/m);
  });

  test("P7 names each wrong setting and exits 78", async () => {
    const daemon = new DaemonProcess({ FOREMAN_CHAT_SLOTS: "many", FOREMAN_TYPO: "1" });

    expect(await daemon.exited()).toBe(78);
    expect(daemon.output).toContain('FOREMAN_CHAT_SLOTS: "many" is not a whole number');
    expect(daemon.output).toContain("FOREMAN_TYPO: no such setting");
  });

  test("A6 refuses to serve other machines without a token, and says what to set", async () => {
    const daemon = new DaemonProcess({ FOREMAN_ADDR: "0.0.0.0:0" });

    expect(await daemon.exited()).toBe(78);
    expect(daemon.output).toMatch(
      /set FOREMAN_TOKEN or FOREMAN_TOKENS_FILE, or FOREMAN_INSECURE=true/,
    );
  });

  test("says so when the port is taken, and exits 78", async () => {
    const sim = await startSim();
    const { settings } = await settingsFor(sim.url);
    const daemon = new DaemonProcess({ ...settings, FOREMAN_ADDR: `127.0.0.1:${sim.port}` });

    expect(await daemon.exited()).toBe(78);
    expect(daemon.output).toContain(`FOREMAN_ADDR: cannot listen on 127.0.0.1:${sim.port}`);
  });
});
