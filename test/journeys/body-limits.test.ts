/** Bodies at their limit and past it, however they are framed. */
import { readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type Answer, ask, headerIn, readAnswers } from "../support/ask.ts";
import { asked } from "../support/asked.ts";
import { DaemonProcess } from "../support/daemon-process.ts";
import { freePort } from "../support/free-port.ts";
import { RawClient } from "../support/raw-client.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const bytesMax = 65_536;
const settings = { FOREMAN_BODY_MAX: "64k" };

/** A chat of exactly so many bytes. */
const chatOf = (length: number) => {
  const body = (text: string) =>
    `{"model":"llama3.2","stream":false,"messages":[{"role":"user","content":"${text}"}]}`;
  return body("x".repeat(length - body("").length));
};

const headOf = (path: string, ...headers: string[]) =>
  `${[`POST ${path} HTTP/1.1`, "Host: localhost", ...headers].join("\r\n")}\r\n\r\n`;

const announced = (path: string, body: string) =>
  headOf(path, `Content-Length: ${body.length}`) + body;

const inChunks = (path: string, body: string) => {
  const pieces = body.match(/.{1,5000}/gs) ?? [];
  const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`);
  return `${headOf(path, "Transfer-Encoding: chunked")}${chunks.join("")}0\r\n\r\n`;
};

const words = `the request's body is larger than FOREMAN_BODY_MAX (${bytesMax} bytes)`;

const shownBy = (answer: Answer | null) =>
  answer && [answer.statusCode, headerIn(answer, "content-type"), answer.body];

describe("FOREMAN_BODY_MAX", () => {
  test("I1 lets a body of just that size through, announced or in chunks", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, settings);

    for (const send of [announced, inChunks]) {
      const answer = await ask(foreman.port, send("/api/chat", chatOf(bytesMax)));
      expect(answer?.statusCode).toBe(200);
    }
    expect(asked(sim).map(({ bodyBytes }) => bodyBytes)).toEqual([bytesMax, bytesMax]);
  });

  test("I1 refuses one byte more in each route's own shape, and goes on", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, settings);
    const shapes = {
      "/api/chat": ["application/json; charset=utf-8", `{"error":"${words}"}`],
      "/api/embed": ["application/json; charset=utf-8", `{"error":"${words}"}`],
      "/v1/chat/completions": [
        "application/json",
        `{"error":{"message":"${words}","type":"api_error","param":null,"code":null}}\n`,
      ],
      "/v1/messages": [
        "application/json",
        `{"type":"error","error":{"type":"api_error","message":"${words}"},"request_id":"req_"}\n`,
      ],
    };

    for (const [path, [contentType, body]] of Object.entries(shapes)) {
      for (const send of [announced, inChunks]) {
        const answer = await ask(foreman.port, send(path, chatOf(bytesMax + 1)));
        const [statusCode, type, text] = shownBy(answer) ?? [];
        const shown = String(text).replace(/req_[0-9a-f]{24}/, "req_");
        expect([statusCode, type, shown]).toEqual([413, contentType, body]);
      }
    }
    const unknown = await ask(foreman.port, inChunks("/api/new-in-0.99", chatOf(bytesMax + 1)));
    expect(unknown?.statusCode).toBe(413);
    expect(asked(sim)).toEqual([]);
    const next = await ask(foreman.port, announced("/api/chat", chatOf(100)));
    expect(next?.statusCode).toBe(200);
  });

  test("I1 refuses at the head what is announced, and the connection stays of use", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, settings);
    const client = new RawClient(foreman.port).send(
      headOf("/api/chat", `Content-Length: ${bytesMax + 1}`),
    );

    await client.received(words);
    client.send("x".repeat(bytesMax + 1)).send("GET /api/version HTTP/1.1\r\nHost: a\r\n\r\n");
    await until("two answers", () => readAnswers(client.text).length === 2);
    client.leave();

    expect(readAnswers(client.text).map(({ statusCode }) => statusCode)).toEqual([413, 403]);
  });

  test("I1 a body longer than announced is cut there, and the rest is no request", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, settings);
    const body = chatOf(100);
    const head = headOf("/api/chat", "Content-Length: 100");

    const client = await new RawClient(foreman.port).send(`${head}${body}{"more":1}`).over();

    expect(client.text).toContain("HTTP/1.1 400 Bad Request");
    expect(asked(sim).map(({ bodyBytes }) => bodyBytes)).not.toContain(110);
    client.leave();
  });

  test("I1 a client that breaks off in its body leaves nothing behind", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, settings);
    for (const path of ["/api/chat", "/v1/messages", "/api/embed", "/api/show", "/api/pull"]) {
      const half = headOf(path, "Content-Length: 100") + chatOf(100).slice(0, 50);
      const client = new RawClient(foreman.port).send(half);
      await until("connected", () => !client.socket.connecting);
      await client.socket.write("x");
      client.vanish();
    }

    const next = await ask(foreman.port, announced("/api/chat", chatOf(100)));

    expect(next?.statusCode).toBe(200);
    expect(asked(sim).filter(({ route }) => route === "/api/chat").length).toBe(1);
    const health = await fetch(`${foreman.url}/healthz`);
    expect(await health.json()).toMatchObject({ queue: { waiting: 0, running: 0 } });
  });

  test("I1 holds no more than the limit in memory, however much a client sends on", async () => {
    const sim = await startSim();
    const port = await freePort();
    const daemon = new DaemonProcess({
      FOREMAN_ADDR: `127.0.0.1:${port}`,
      FOREMAN_OLLAMA_URL: sim.url,
      FOREMAN_DB: join(await mkdtemp(join(tmpdir(), "foreman-limits-")), "foreman.db"),
      FOREMAN_BODY_MAX: "32m",
    });
    await daemon.listening(`http://127.0.0.1:${port}`);
    const peakBytes = () => {
      const status = readFileSync(`/proc/${daemon.child.pid}/status`, "utf8");
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 2 ** 10;
    };
    const beforeBytes = peakBytes();
    const piece = Buffer.from(`100000\r\n${"x".repeat(2 ** 20)}\r\n`);

    const client = new RawClient(port).send(headOf("/api/chat", "Transfer-Encoding: chunked"));
    for (let sent = 0; sent < 500; sent += 1) {
      if (!client.socket.write(piece)) await new Promise((go) => client.socket.once("drain", go));
    }
    await client.received("HTTP/1.1 413");
    client.leave();

    // The body up to the limit, and the pieces thrown away since the last garbage collection.
    expect(peakBytes() - beforeBytes).toBeLessThan(160 * 2 ** 20);
    expect((await fetch(`http://127.0.0.1:${port}/api/version`)).status).toBe(200);
  });
});

describe("compressed bodies", () => {
  const zstd = "Content-Encoding: zstd";
  const send = (port: number, path: string, body: Buffer, ...headers: string[]) =>
    ask(
      port,
      Buffer.concat([
        Buffer.from(headOf(path, `Content-Length: ${body.length}`, ...headers)),
        body,
      ]),
    );

  test("I6 zstd on /v1 is understood and passed on as it came", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const body = zstdCompressSync(chatOf(200));

    const answer = await send(foreman.port, "/v1/chat/completions", body, zstd);
    const unknown = chatOf(200).replace("llama3.2", "nope");
    const frames = [unknown.slice(0, 50), unknown.slice(50)].map((half) => zstdCompressSync(half));
    const refused = await send(foreman.port, "/v1/chat/completions", Buffer.concat(frames), zstd);

    expect(answer?.statusCode).toBe(200);
    expect(asked(sim).map(({ bodyBytes }) => bodyBytes)).toEqual([body.length]);
    expect(refused?.statusCode).toBe(404);
    expect(refused?.body).toContain("model 'nope' not found");
  });

  test("I6 a zstd bomb and broken zstd are refused in Ollama's words, and nothing is asked", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const sound = zstdCompressSync(chatOf(200));
    const bomb = zstdCompressSync(chatOf(64 * 2 ** 20));
    const faults = [
      ["http: request body too large", bomb],
      ["invalid input: magic number mismatch", Buffer.from(chatOf(99))],
      ["invalid input: magic number mismatch", Buffer.concat([sound, Buffer.from("more of it")])],
      ["unexpected EOF", sound.subarray(0, -5)],
    ] as const;

    for (const path of ["/v1/chat/completions", "/v1/messages"]) {
      for (const [words, body] of faults) {
        const answer = await send(foreman.port, path, body, zstd);
        const contentType = "application/json; charset=utf-8";
        expect(shownBy(answer)).toEqual([400, contentType, `{"error":"${words}"}`]);
      }
    }
    expect(bomb.length).toBeLessThan(2 ** 20);
    expect(asked(sim)).toEqual([]);
  });

  test("I6 gzip, and zstd on /api, are the broken JSON that they are to Ollama", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const gzip = gzipSync(chatOf(200));
    const cases = [
      ["/api/chat", gzip, "Content-Encoding: gzip"],
      ["/v1/chat/completions", gzip, "Content-Encoding: gzip"],
      ["/api/chat", zstdCompressSync(chatOf(200)), zstd],
    ] as const;

    for (const [path, body, encoding] of cases) {
      const direct = await send(sim.port, path, body, encoding);
      const answer = await send(foreman.port, path, body, encoding);
      expect(direct?.statusCode).toBe(400);
      expect(shownBy(answer)).toEqual(shownBy(direct));
    }
  });
});
