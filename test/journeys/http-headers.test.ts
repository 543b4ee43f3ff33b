/** Which headers and statuses travel through foreman, and which end at it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { viaToken } from "../../src/target/via.ts";
import { ask, headerIn, readAnswers } from "../support/ask.ts";
import { asked } from "../support/asked.ts";
import { RawClient } from "../support/raw-client.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";

const get = (target: string, ...headers: string[]) =>
  `${[`GET ${target} HTTP/1.1`, "Host: localhost", ...headers].join("\r\n")}\r\n\r\n`;

const namesOf = (rawHeaders: readonly string[] = []) =>
  rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());

const headerOf = (rawHeaders: readonly string[] = [], name: string) =>
  rawHeaders[rawHeaders.findIndex((each, i) => i % 2 === 0 && each.toLowerCase() === name) + 1];

const chat = (more: object = {}) => ({
  model: "llama3.2",
  messages: [{ role: "user", content: "hello" }],
  ...more,
});

describe("headers on their way through foreman", () => {
  test("H4 what belongs to one hop does not travel, in either direction", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    sim.fail({
      route: "/api/status",
      fault: {
        kind: "extra-headers",
        headers: [
          ["Connection", "x-inner, close"],
          ["X-Inner", "secret"],
          ["Keep-Alive", "timeout=5"],
          ["Proxy-Authenticate", "Basic"],
          ["Trailer", "X-Sum"],
          ["Upgrade", "h2c"],
          ["X-Outer", "kept"],
        ],
      },
    });

    const answer = await ask(
      foreman.port,
      get(
        "/api/status",
        "Connection: x-secret, keep-alive, Upgrade, HTTP2-Settings",
        "X-Secret: 1",
        "Keep-Alive: timeout=9",
        "TE: trailers",
        "Trailer: X-Sum",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAAQAAP__",
        "Proxy-Authorization: Basic eDp5",
        "Proxy-Connection: keep-alive",
        "X-Kept: 1",
      ),
    );

    const atTarget = asked(sim)[0]?.rawHeaders;
    expect(namesOf(atTarget).toSorted()).toEqual(["connection", "host", "via", "x-kept"]);
    expect(headerOf(atTarget, "connection")).toBe("keep-alive");
    const atClient = answer?.headers.map(([name]) => name.toLowerCase()) ?? [];
    expect(atClient).toContain("x-outer");
    for (const name of ["x-inner", "proxy-authenticate", "trailer", "upgrade"]) {
      expect(atClient).not.toContain(name);
    }
    expect(headerIn(answer, "connection")).toBe("keep-alive");
    expect(headerIn(answer, "keep-alive")).not.toBe("timeout=5");
  });

  // Ollama hands headers on to its cloud, so who the client is stays with foreman altogether.
  test("H5 forwarding headers and credentials of the client end at foreman; Via grows", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);

    await ask(
      foreman.port,
      get(
        "/api/status",
        "X-Forwarded-For: 6.6.6.6",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: evil.example",
        "X-Real-IP: 6.6.6.6",
        "Forwarded: for=6.6.6.6",
        "X-Foreman-Job: 1",
        "Authorization: Bearer client",
        "X-Api-Key: client",
        "Cookie: a=b",
        "Via: 1.0 fred",
      ),
    );

    const atTarget = asked(sim)[0]?.rawHeaders;
    expect(namesOf(atTarget).toSorted()).toEqual(["connection", "host", "via"]);
    expect(headerOf(atTarget, "via")).toBe(`1.0 fred, ${viaToken}`);
  });

  test("H5 a request that comes back goes past the queue, and is cut off at the third time", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 20, tokens: 500 }] });
    const foreman = await startForeman(sim.url);
    const occupier = await new RawClient(foreman.port)
      .post("/api/chat", chat())
      .received('"done":false');

    const inner = new RawClient(foreman.port).post(
      "/api/chat",
      chat({ stream: false, options: { num_predict: 1 } }),
      [`Via: ${viaToken}`],
    );
    await inner.received('"done":true');
    const circling = new RawClient(foreman.port).post("/api/chat", chat(), [
      `Via: ${viaToken}, 1.0 fred, ${viaToken}, ${viaToken}`,
    ]);
    await circling.received('{"error":"the request runs in a circle');

    expect(occupier.isOver).toBe(false);
    expect(readAnswers(inner.text)[0]?.statusCode).toBe(200);
    expect(readAnswers(circling.text)[0]?.statusCode).toBe(508);
    for (const client of [occupier, inner, circling]) client.leave();
  });

  test("H9 repeated headers and odd statuses reach the client as they came; 1xx do not", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const answerUnder = async (fault: Parameters<typeof sim.fail>[0]["fault"]) => {
      sim.fail({ route: "/api/status", times: 1, fault });
      const client = new RawClient(foreman.port).send(get("/api/status", "Connection: close"));
      await client.over();
      return readAnswers(client.text);
    };
    const twice = [
      ["Set-Cookie", "a=1; Expires=Fri, 01 Jan 2027 00:00:00 GMT"],
      ["Set-Cookie", "b=2"],
      ["X-Twice", "1"],
      ["x-twice", "2, 3"],
    ] as const;

    const [repeated, ...none] = await answerUnder({ kind: "extra-headers", headers: twice });
    expect(repeated?.headers).toEqual(expect.arrayContaining([...twice]));
    expect(none).toEqual([]);
    for (const status of [204, 304, 999]) {
      const answers = await answerUnder({ kind: "answer", status, headers: [] });
      expect(answers.map(({ body, statusCode }) => [statusCode, body])).toEqual([[status, ""]]);
    }
    for (const status of [102, 103] as const) {
      const answers = await answerUnder({ kind: "informational", status, count: 2 });
      expect(answers.map(({ isWhole, statusCode }) => [statusCode, isWhole])).toEqual([
        [200, true],
      ]);
    }
  });

  test("H4 a target that wants to switch protocols is taken for broken", async () => {
    const server = createServer((request, response) => {
      if (request.url !== "/api/status") response.writeHead(404).end();
      else request.socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n");
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const foreman = await startForeman(`http://127.0.0.1:${port}`);

    const answer = await ask(foreman.port, get("/api/status", "Upgrade: h2c"));

    expect(answer?.statusCode).toBe(502);
  });
});
