/** What belongs to one connection: the order of its answers, its early and its late end. */
import { Agent, request } from "node:http";
import { Socket } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ask, readAnswers } from "../support/ask.ts";
import { RawClient } from "../support/raw-client.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

const chat = { model: "llama3.2", messages: [{ role: "user", content: "hello" }] };

describe("one connection", () => {
  test("H7 answers pipelined requests in their order, however slow each is", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    sim.fail({ route: "/api/show", model: "slow-a", fault: { kind: "delay", ms: 200 } });
    sim.fail({ route: "/api/show", model: "slow-b", fault: { kind: "delay", ms: 50 } });
    const show = (model: string) => {
      const body = JSON.stringify({ model });
      const head = `POST /api/show HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}`;
      return `${head}\r\n\r\n${body}`;
    };
    const requests = [
      ...[show("slow-a"), get("/api/version"), show("slow-b"), get("/nowhere"), show("c")],
      ...[get("/"), show("d"), get("/api/nope"), show("e"), get("/livez")],
    ];

    const client = new RawClient(foreman.port).send(requests.join(""));
    await until("ten answers", () => readAnswers(client.text).length === 10);
    client.leave();

    const missing = (name: string) => `{"error":"model '${name}:latest' not found"}`;
    expect(readAnswers(client.text).map(({ body }) => body)).toEqual([
      ...[missing("slow-a"), '{"version":"0.33.0"}', missing("slow-b"), "404 page not found"],
      ...[missing("c"), "Ollama is running", missing("d"), "404 page not found", missing("e")],
      '{"status":"ok"}',
    ]);
  });

  test("a pipelined request may wait for longer than an answer before it may take", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    sim.fail({ route: "/api/chat", fault: { kind: "stall" } });
    const setTimeouts = vi.spyOn(Socket.prototype, "setTimeout");
    onTestFinished(() => setTimeouts.mockRestore());
    const post = (route: string, document: object) => {
      const body = JSON.stringify(document);
      const head = `POST ${route} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}`;
      return `${head}\r\n\r\n${body}`;
    };

    const requests = [post("/api/show", { model: "llama3.2" }), post("/api/chat", chat)];
    const client = new RawClient(foreman.port).send(requests.join(""));
    await until("the first answer", () => readAnswers(client.text).length === 1);

    const bounded = setTimeouts.mock.contexts.filter(
      (socket) => (socket as Socket).localPort === foreman.port && (socket as Socket).timeout,
    );
    expect(bounded).toEqual([]);
    client.leave();
  });

  test("H8 a body that is too large is refused before a client that asks first has sent it", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, {
      FOREMAN_BODY_MAX: "64k",
      FOREMAN_TOKEN: "secret",
    });
    const head = (path: string, length: number, token = "secret") =>
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n` +
      `Expect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
    const refusal = async (bytes: string) => {
      const client = await new RawClient(foreman.port).send(bytes).over();
      client.leave();
      return readAnswers(client.text).map(({ body, statusCode }) => [statusCode, body]);
    };

    const tooLarge = "the request's body is larger than FOREMAN_BODY_MAX (65536 bytes)";
    expect(await refusal(head("/api/chat", 65_537))).toEqual([[413, `{"error":"${tooLarge}"}`]]);
    expect((await refusal(head("/v1/chat/completions", 65_537)))[0]?.[1]).toContain(
      `{"error":{"message":"${tooLarge}"`,
    );
    expect((await refusal(head("/api/chat", 10, "wrong")))[0]?.[0]).toBe(401);

    // Layers of models have no bound, and curl asks first.
    const upload = new RawClient(foreman.port).send(head("/api/blobs/sha256:00", 70_000));
    await upload.received("HTTP/1.1 100 Continue\r\n\r\n");
    upload.send("x".repeat(70_000));
    await until("an answer", () => readAnswers(upload.text).length === 2);
    expect(readAnswers(upload.text)[1]?.statusCode).toBe(400);
    const small = new RawClient(foreman.port).send(head("/api/show", 20));
    await small.received("HTTP/1.1 100 Continue\r\n\r\n");
    await small.send('{"model":"llama3.2"}').received("HTTP/1.1 200 OK");
    for (const client of [upload, small]) client.leave();
  });

  test("H13 a thousand requests over one socket are all answered", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_LOG_LEVEL: "warn" });
    await ask(foreman.port, get("/api/tags"));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const statusOf = () =>
      new Promise((resolve, reject) => {
        const asking = request({ port: foreman.port, path: "/api/version", agent }, (answer) => {
          answer.resume().once("end", () => resolve([answer.statusCode, asking.reusedSocket]));
        });
        asking.once("error", reject).end();
      });

    expect(await statusOf()).toEqual([200, false]);
    for (let sent = 1; sent < 1_000; sent += 1) expect(await statusOf()).toEqual([200, true]);
    agent.destroy();
  });

  test("H13 a client that half-closes is answered what foreman knows, and gone for a chat", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 20, tokens: 500 }] });
    const foreman = await startForeman(sim.url);
    await ask(foreman.port, get("/api/tags"));

    const asking = new RawClient(foreman.port).send(get("/api/tags"));
    asking.socket.end();
    await asking.received('"llama3.2:latest"');
    await asking.over();
    const chatting = await new RawClient(foreman.port)
      .post("/api/chat", chat)
      .received('"done":false');
    chatting.socket.end();
    await chatting.over();

    expect(chatting.text).not.toContain('"done":true');
    await until("cut", () => sim.journal.events.some(({ kind }) => kind === "disconnect"));
  });
});
