/** Bodies that are no sound request: a clear error in the target's words, and nothing stuck. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Answer, ask, headerIn } from "../support/ask.ts";
import { asked } from "../support/asked.ts";
import { DaemonProcess } from "../support/daemon-process.ts";
import { freePort } from "../support/free-port.ts";
import { longestAnswer } from "../support/longest-answer.ts";
import { type RunningForeman, startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";

const queued = [
  ...["/api/chat", "/api/generate", "/v1/chat/completions", "/v1/completions"],
  ...["/v1/responses", "/v1/messages"],
];

const post = (port: number, path: string, body: string | Buffer, ...headers: string[]) => {
  const bytes = Buffer.from(body);
  const lines = [`POST ${path} HTTP/1.1`, "Host: localhost", ...headers];
  const head = `${[...lines, `Content-Length: ${bytes.length}`].join("\r\n")}\r\n\r\n`;
  return ask(port, Buffer.concat([Buffer.from(head), bytes]));
};

/** Ids are drawn for each answer. */
const shownBy = (answer: Answer | null) => ({
  statusCode: answer?.statusCode,
  contentType: headerIn(answer, "content-type"),
  body: answer?.body.replace(/req_[0-9a-f]{24}/, "req_"),
});

const chat = '{"model":"llama3.2","messages":[{"role":"user","content":"hello"}],"stream":false}';

const worksOn = async (foreman: RunningForeman) => {
  expect((await post(foreman.port, "/api/chat", chat))?.statusCode).toBe(200);
  const health = await fetch(`${foreman.url}/healthz`);
  expect(await health.json()).toMatchObject({ queue: { waiting: 0, running: 0 } });
};

const malformed = [
  ...["", " ", "{", "x", "[]", "1", '"a"', "nul", "{]", "{,}", '{"model"}', '{"model":}'],
  ...['{"model":"a",}', "{'model':'a'}", '{"model":"a" "b"}', '{"model":"\\x"}', '{"a":01}'],
  ...['{"model":"a\nb"}', '{"model":NaN}', "\xef\xbb\xbf{}", "\0", '{"model":"a"', '{"a":tru'],
  ...['{"model":{}}', '{"model":1}', '{"model":["a"]}', '{"messages":{},"prompt":1,"input":1}'],
  ...['{"model":"llama3.2","stream":"false"}', '{"model":"llama3.2","stream":1}'],
  '{"model":"llama3.2","stream":[]}',
  ...['{"model":"llama3.2","model":7}'],
];

/** Members that the routes below /v1 do not have. */
const malformedNative = [
  ...['{"model":"llama3.2","options":[]}', '{"model":"llama3.2","keep_alive":"5 parsecs"}'],
  ...['{"model":"llama3.2","keep_alive":{}}', '{"model":"llama3.2","think":"a lot"}'],
];

describe("a body that Ollama refuses", () => {
  test("is refused in Ollama's words on each route, without being sent there", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);

    for (const path of queued) {
      const native = path.startsWith("/api/") ? malformedNative : [];
      for (const body of [...malformed, ...native]) {
        const direct = shownBy(await post(sim.port, path, body));
        sim.journal.clear();
        const answer = shownBy(await post(foreman.port, path, body));
        expect([path, body, answer]).toEqual([path, body, direct]);
        expect(answer.statusCode).toBe(400);
        expect(asked(sim)).toEqual([]);
      }
    }
    await worksOn(foreman);
  });

  test("gets the same answer on the routes that foreman does not read", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);

    for (const path of ["/api/embed", "/v1/embeddings", "/api/show", "/api/pull", "/api/copy"]) {
      for (const body of malformed) {
        const direct = shownBy(await post(sim.port, path, body));
        const answer = shownBy(await post(foreman.port, path, body));
        expect([path, body, answer]).toEqual([path, body, direct]);
      }
    }
  });

  test("I9 says what is missing, and reads conflicting flags as the target does", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const bodies = [
      ...["{}", "null", '{"model":""}', '{"model":null}', '{"Model":"llama3.2","model":""}'],
      ...['{"model":"nope"}', '{"model":"a b"}', '{"model":"../../etc/passwd"}'],
      ...['{"model":"llama3.2","stream":null,"prompt":"a","messages":[],"max_tokens":1}'],
      ...['{"model":"nope","model":"llama3.2","stream":true,"stream":false,"prompt":"hi"}'],
      ...['{"model":"llama3.2","STREAM":false,"messages":[{"role":"user","content":"a"}]}'],
    ];

    for (const path of queued) {
      for (const body of bodies) {
        const [direct, answer] = [
          await post(sim.port, path, body),
          await post(foreman.port, path, body),
        ];
        const seen = [path, body, answer?.statusCode, headerIn(answer, "content-type")];
        expect(seen).toEqual([path, body, direct?.statusCode, headerIn(direct, "content-type")]);
        if (direct && direct.statusCode >= 400) expect(shownBy(answer)).toEqual(shownBy(direct));
      }
    }
  });
});

describe("a body made to do harm", () => {
  const deep = (open: string, close: string, count: number) =>
    `{"model":"llama3.2","messages":${open.repeat(count)}${close.repeat(count)}}`;
  const manyKeys = (keyOf: (i: number) => string) =>
    `{${Array.from({ length: 1_000_000 }, (_, i) => `"${keyOf(i)}":0`).join()},"model":"nope"}`;
  const harms: Readonly<Record<string, readonly [statusCode: number, body: string]>> = {
    "a nesting of a million arrays": [400, deep("[", "]", 1_000_000)],
    "a nesting of a million objects": [400, deep('{"a":', "}", 1_000_000).replace("{}", "{1}")],
    "a million brackets that are never closed": [400, deep("[", "", 1_000_000)],
    "a million keys": [404, manyKeys((i) => `key${i}`)],
    "a million keys like indices": [404, manyKeys((i) => `${i}`)],
    "a million keys that repeat": [404, manyKeys(() => "model2")],
    "a number of a million digits": [200, `{"a":${"9".repeat(1_000_000)},${chat.slice(1)}`],
    "a number past all bounds": [200, `{"a":1e308,"b":1e999,${chat.slice(1)}`],
    "a lone surrogate": [200, `{"a":"\\ud800","\\udfff":1,${chat.slice(1)}`],
    __proto__: [200, `{"__proto__":{"isAdmin":true},"constructor":1,${chat.slice(1)}`],
    "a byte order mark": [400, `\ufeff${chat}`],
    "bytes that are no UTF-8": [200, chat.replace("hello", "\\u0000\x7f")],
  };

  test("I2 I8 is refused or passed on as it is, and nobody waits for it", async () => {
    const sim = await startSim();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const daemon = new DaemonProcess({
      FOREMAN_ADDR: `127.0.0.1:${port}`,
      FOREMAN_OLLAMA_URL: sim.url,
      FOREMAN_DB: join(await mkdtemp(join(tmpdir(), "foreman-harm-")), "foreman.db"),
    });
    await daemon.listening(url);
    const pinging = longestAnswer(`${url}/livez`);

    for (const [what, [statusCode, body]] of Object.entries(harms)) {
      sim.journal.clear();
      const answer = await post(port, "/api/chat", body);
      expect([what, answer?.statusCode, answer?.body]).toEqual([
        what,
        statusCode,
        expect.anything(),
      ]);
      if (statusCode >= 400) expect(asked(sim)).toEqual([]);
      else expect(asked(sim).map(({ bodyBytes }) => bodyBytes)).toEqual([Buffer.byteLength(body)]);
    }
    const longestMs = await pinging.stop();

    // 50 ms of its own; the rest is what this process, the sim and the other tests take of two cores.
    expect(longestMs).toBeLessThan(500);
    expect(daemon.child.exitCode).toBeNull();
  }, 40_000);

  test("I2 I3 no JSON whatever takes the daemon down or is answered otherwise than by the target", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_LOG_LEVEL: "warn" });
    const name = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("llama3.2", "LLAMA3.2:latest", "a/b/c/d", "__proto__", "constructor", "🦙"),
      fc.constantFrom("x'; DROP TABLE job;--", "\u202eevil", "\u001b[31mred", "a\nb", "../x"),
    );
    const body = fc.record({ model: name, prompt: fc.constant(""), stream: fc.anything() });

    await fc.assert(
      fc.asyncProperty(body, async (request) => {
        const text = JSON.stringify(request);
        const direct = await post(sim.port, "/api/generate", text);
        const answer = await post(foreman.port, "/api/generate", text);
        expect(answer?.statusCode).toBe(direct?.statusCode);
        if (direct && direct.statusCode >= 400) expect(answer?.body).toBe(direct.body);
      }),
      { numRuns: 100, seed: 20_261_120 },
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test("I3 a name of 1 MB, or one with ANSI and line feeds, neither breaks nor fills the log", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2" }] });
    const port = await freePort();
    const daemon = new DaemonProcess({
      FOREMAN_ADDR: `127.0.0.1:${port}`,
      FOREMAN_OLLAMA_URL: sim.url,
      FOREMAN_DB: join(await mkdtemp(join(tmpdir(), "foreman-names-")), "foreman.db"),
      FOREMAN_LOG_LEVEL: "trace",
    });
    await daemon.listening(`http://127.0.0.1:${port}`);
    const long = "x".repeat(2 ** 20);
    const names = [long, "\u001b[2Jgone\r\n{}", "🦙\u202e", "'; DROP TABLE job;--", "../../x"];

    for (const model of names) {
      const text = JSON.stringify({ ...JSON.parse(chat), model });
      for (const path of ["/api/chat", "/v1/chat/completions", "/api/embed", "/api/show"]) {
        const [direct, answer] = [await post(sim.port, path, text), await post(port, path, text)];
        expect(shownBy(answer)).toEqual(shownBy(direct));
      }
    }
    const next = await post(port, "/api/chat", chat);

    expect(next?.statusCode).toBe(200);
    expect(daemon.output).not.toContain("\u001b");
    for (const line of daemon.output.trimEnd().split("\n"))
      expect(() => JSON.parse(line)).not.toThrow();
    expect(daemon.output.length).toBeLessThan(100_000);
  });
});
