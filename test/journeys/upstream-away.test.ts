/** A target that cannot be reached, answers too early, or answers polls with nonsense. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { readAnswers } from "../support/ask.ts";
import { asked } from "../support/asked.ts";
import { freePort } from "../support/free-port.ts";
import { RawClient } from "../support/raw-client.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const chat = { model: "llama3.2", messages: [{ role: "user", content: "hi" }], stream: false };

const post = (url: string, body: unknown) =>
  fetch(url, { method: "POST", body: JSON.stringify(body) });

const healthOf = async (url: string) =>
  (await (await fetch(`${url}/healthz`)).json()) as {
    degraded: boolean;
    target: { presence: string };
  };

/** What must hold of a target that takes no connection: embeddings fail, chats wait. */
async function expectAway(targetUrl: string, problem: RegExp): Promise<void> {
  const settings = { FOREMAN_POLL_INTERVAL: "100ms", FOREMAN_DRAIN_TIMEOUT: "100ms" };
  const foreman = await startForeman(targetUrl, settings);
  const waiting = new RawClient(foreman.port).post("/api/chat", chat);

  const embedded = await post(`${foreman.url}/api/embed`, { model: "a", input: "a" });

  expect(embedded.status).toBe(502);
  expect(await embedded.json()).toEqual({ error: expect.stringMatching(problem) });
  expect(await healthOf(foreman.url)).toMatchObject({
    degraded: true,
    target: { presence: "away" },
  });
  expect([waiting.isOver, waiting.text]).toEqual([false, ""]);
  waiting.leave();
}

describe("a target that takes no connection", () => {
  test("U1 refused: chats wait, the rest is told", async () => {
    await expectAway(`http://127.0.0.1:${await freePort()}`, /ECONNREFUSED/);
  });

  test("U1 a name that is not known: chats wait, the rest is told", async () => {
    await expectAway("http://nowhere.invalid:11434", /ENOTFOUND|EAI_AGAIN/);
  });

  test("U1 a host that lets every connection hang: told within the connect timeout", async () => {
    const full = await fullBacklog();

    await expectAway(`http://127.0.0.1:${full}`, /Connect Timeout/i);
  });

  test("U1 a reset in place of a handshake: chats run when it is over, the rest is told", async () => {
    const sim = await startSim();
    let isResetting = true;
    const gate = createServer((socket) => {
      if (isResetting) socket.resetAndDestroy();
      else join(socket, connect(sim.port, "127.0.0.1"));
    }).listen(0, "127.0.0.1");
    await once(gate, "listening");
    onTestFinished(() => void gate.close());
    const { port } = gate.address() as { port: number };
    const settings = { FOREMAN_POLL_INTERVAL: "100ms", FOREMAN_MAX_ATTEMPTS: "100" };
    const foreman = await startForeman(`http://127.0.0.1:${port}`, settings);

    const waiting = post(`${foreman.url}/api/chat`, chat);
    const shown = await post(`${foreman.url}/api/show`, { model: "llama3.2" });
    await until("degraded", async () => (await healthOf(foreman.url)).degraded);
    isResetting = false;

    expect(shown.status).toBe(502);
    expect((await waiting).status).toBe(200);
  });
});

describe("a target that answers before it was told all", () => {
  test("U5 its refusal reaches a client that uploads 50 MB, which is not left stuck in its sending", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const body = '{"error":"digest mismatch, expected \\"sha256:00\\""}';
    sim.fail({
      route: "/api/blobs/:digest",
      atHead: true,
      fault: { kind: "answer", status: 400, body },
    });
    const uploadBytes = 50 * 2 ** 20;
    const client = new RawClient(foreman.port).send(
      `POST /api/blobs/sha256:00 HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${uploadBytes}\r\n\r\n`,
    );

    const piece = Buffer.alloc(2 ** 16);
    for (let sent = 0; sent < uploadBytes; sent += piece.length) {
      if (!client.socket.write(piece)) await once(client.socket, "drain");
    }
    await client.received(body);
    // The connection is still in step: what follows the body is a request of its own.
    await client.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").received('"ok"');

    expect(readAnswers(client.text).map(({ statusCode }) => statusCode)).toEqual([400, 200]);
    client.leave();
    expect((await post(`${foreman.url}/api/chat`, chat)).status).toBe(200);
  });
});

describe("polls that bring nonsense", () => {
  const html = "<html><body>502 Bad Gateway</body></html>";
  const nonsense = {
    "a page": { kind: "answer", status: 200, body: html },
    "an error page": { kind: "answer", status: 502, body: html },
    "100 MB": { kind: "replace-body", body: "x".repeat(100 * 2 ** 20) },
    "models that are no list": { kind: "answer", status: 200, body: '{"models":{"a":1}}' },
    null: { kind: "answer", status: 200, body: "null" },
    "an empty answer": { kind: "answer", status: 200, body: "" },
    "half an answer": { kind: "reset-after-bytes", bytes: 300 },
  } as const;

  for (const [what, fault] of Object.entries(nonsense)) {
    test(`U10 ${what}: the last good inventory is kept, and chats go on`, async () => {
      const sim = await startSim();
      const foreman = await startForeman(sim.url, { FOREMAN_POLL_INTERVAL: "100ms" });
      const tags = async () => await (await fetch(`${foreman.url}/api/tags`)).text();
      const good = await tags();

      sim.fail({ route: "/api/tags", fault });
      await until("noticed", async () => (await healthOf(foreman.url)).degraded);

      expect(await tags()).toBe(good);
      expect((await post(`${foreman.url}/api/chat`, chat)).status).toBe(200);
      expect(asked(sim).map(({ path }) => path)).toEqual(["/api/chat"]);
      sim.clearFaults();
      await until("mended", async () => !(await healthOf(foreman.url)).degraded);
    });
  }

  test("U10 polls that get no answer hold up neither chats nor the inventory", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_POLL_INTERVAL: "100ms" });
    const good = await (await fetch(`${foreman.url}/api/tags`)).text();
    sim.fail({ route: "/api/tags", fault: { kind: "stall" } });
    sim.fail({ route: "/api/ps", fault: { kind: "stall" } });

    const answer = await post(`${foreman.url}/api/chat`, chat);

    expect(answer.status).toBe(200);
    expect(await (await fetch(`${foreman.url}/api/tags`)).text()).toBe(good);
  });
});

function join(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one);
  for (const socket of [one, other]) socket.on("error", () => {});
}

/** A port whose owner sleeps, with its queue of connections full: a new one is never answered. */
async function fullBacklog(): Promise<number> {
  const listen = 'require("net").createServer().listen({port:0,host:"127.0.0.1",backlog:1},';
  const report = "function(){console.log(this.address().port)})";
  const child = spawn(process.execPath, ["-e", listen + report]);
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(line.toString());
  child.kill("SIGSTOP");
  for (let i = 0; i < 8; i += 1) {
    const filler = connect(port, "127.0.0.1").on("error", () => {});
    onTestFinished(() => void filler.destroy());
  }
  return port;
}
