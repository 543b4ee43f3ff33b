/** Who may come in: tokens, the spellings of paths, and other sites' pages. */
import { request } from "node:http";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Answer, ask, headerIn } from "../support/ask.ts";
import { asked } from "../support/asked.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";

const token = "s3cret-t0ken";
const settings = { FOREMAN_TOKEN: token };

/** Every route that foreman knows, and some that it does not. */
const routes = [
  ...["GET /", "HEAD /", "GET /api/version", "GET /api/tags", "GET /api/ps", "GET /v1/models"],
  ...["POST /api/chat", "POST /api/generate", "POST /v1/chat/completions", "POST /v1/completions"],
  ...["POST /v1/responses", "POST /v1/messages", "POST /v1/audio/transcriptions"],
  ...["POST /api/embed", "POST /api/embeddings", "POST /v1/embeddings", "POST /api/show"],
  ...["POST /api/pull", "POST /api/create", "POST /api/push", "POST /api/copy"],
  ...["DELETE /api/delete", "HEAD /api/blobs/sha256:00", "POST /api/blobs/sha256:00"],
  ...["GET /v1/models/llama3.2", "GET /api/status", "GET /api/new-in-0.99", "PUT /v1/new"],
  ...["GET /nowhere", "POST /jobs", "GET /jobs", "GET /metrics", "GET /foreman/status"],
  ...["POST /api/runtime/llm/chat", "GET /openapi.json", "GET /health", "POST /livez"],
  ...["GET //api/tags", "GET //livez", "GET /livez/", "GET /livez/../api/tags", "GET /./livez"],
  ...["GET /%6civez", "GET /LIVEZ", "GET /api%2ftags", "GET /livez%2f..%2fapi/tags"],
  ...["GET /livez;x", "GET /livez%00", "GET /api/tags/", "GET /API/TAGS", "GET /healthz/x"],
];

const bad = ["", "Authorization: Bearer wrong", "Authorization: Bearer", "X-Api-Key: wrong"];

/** The head alone, with a body announced that never comes, as far as the method has one. */
const headOf = (line: string, ...headers: string[]) => {
  const length = /^(GET|HEAD) /.test(line) ? [] : ["Content-Length: 1000000"];
  const lines = [`${line} HTTP/1.1`, "Host: localhost", ...length, ...headers].filter(Boolean);
  return `${lines.join("\r\n")}\r\n\r\n`;
};

const shapes = {
  "/api/runtime/llm/providers":
    '{"detail":"a valid bearer token is required","code":"unauthorized"}',
  "/api/chat": '{"error":"a valid bearer token is required"}',
  "/v1/models":
    '{"error":{"message":"a valid bearer token is required","type":"api_error","param":null,"code":null}}\n',
  "/v1/messages":
    '{"type":"error","error":{"type":"authentication_error","message":"a valid bearer token is required"},"request_id":"req_"}\n',
};

describe("with a token set", () => {
  test("A1 every route in every spelling is closed, before body, queue and target", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, settings);

    const open = await Promise.all(
      routes.flatMap((line) =>
        bad.map(async (header) => {
          const answer = await ask(foreman.port, headOf(line, header));
          return answer?.statusCode === 401 ? [] : [`${line} ${header}: ${answer?.statusCode}`];
        }),
      ),
    );

    expect(open.flat()).toEqual([]);
    expect(asked(sim)).toEqual([]);
    expect(foreman.logged.some(({ msg }) => msg === "job queued")).toBe(false);
  });

  test("A1 what cannot be decoded is refused without a look at the token", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, settings);

    for (const target of ["/livez%", "/%zz/livez", "/livez#x", "/livez\\..\\api"]) {
      expect((await ask(foreman.port, headOf(`GET ${target}`)))?.statusCode).toBe(400);
    }
  });

  test("A1 the refusal has the shape of its route and says how to come in", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, settings);

    for (const [path, body] of Object.entries(shapes)) {
      const answer = await ask(foreman.port, headOf(`GET ${path}`));
      expect(answer?.body.replace(/req_[0-9a-f]{24}/, "req_")).toBe(body);
      expect(headerIn(answer, "www-authenticate")).toBe("Bearer");
    }
  });

  test("A1 the probes are open, and with the token everything is", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, settings);
    const statusOf = async (line: string, ...headers: string[]) =>
      (await ask(foreman.port, headOf(line, ...headers)))?.statusCode;

    for (const path of ["/livez", "/readyz", "/healthz", "/healthz?require=target"]) {
      expect([200, 503]).toContain(await statusOf(`GET ${path}`));
      expect([200, 503]).toContain(await statusOf(`HEAD ${path}`));
    }
    expect(await statusOf("GET /api/status", `Authorization: Bearer ${token}`)).toBe(200);
    expect(await statusOf("GET /api/status", `X-Api-Key: ${token}`)).toBe(200);
    expect(await statusOf("GET /nowhere", `Authorization: Bearer ${token}`)).toBe(404);
    const atTarget = asked(sim).flatMap(({ rawHeaders }) => rawHeaders ?? []);
    expect(atTarget.join(" ")).not.toContain(token);
  });

  test("A2 only the exact form is taken", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, settings);
    const right = `Authorization: Bearer ${token}`;
    const basic = Buffer.from(`x:${token}`).toString("base64");
    const refused = [
      ...[`authorization: bearer ${token}`, `Authorization: Bearer  ${token}`],
      ...[`Authorization: Bearer\t${token}`, `Authorization: ${token}`],
      ...[`Authorization: basic ${basic}`, `Authorization: Bearer "${token}"`],
      ...[`Authorization: Bearer ${token},x`, `Authorization: Bearer ${token} x`],
      ...[`Authorization: Bearer ${token.slice(0, -1)}`, `Authorization: Bearer ${token}x`],
      ...[`Authorization: Bearer ${token.toUpperCase()}`, `Authorization: Bearer \xff${token}`],
      ...[`${right}\r\n${right}`, `${right}\r\nAuthorization: Bearer wrong`],
      ...[`Authorization: Bearer wrong\r\n${right}`, `Cookie: token=${token}`],
      ...[`X-Api-Key: "${token}"`, `X-Api-Key: ${token}\r\nX-Api-Key: ${token}`],
      ...[`Authorization: Bearer wrong\r\nX-Api-Key: ${token}`],
      ...[`Proxy-Authorization: Bearer ${token}`],
    ];

    for (const header of refused) {
      const answer = await ask(foreman.port, headOf("GET /api/tags", header));
      expect([header, answer?.statusCode]).toEqual([header, 401]);
    }
    const inQuery = await ask(foreman.port, headOf(`GET /api/tags?token=${token}&key=${token}`));
    expect(inQuery?.statusCode).toBe(401);
    const withNul = await ask(foreman.port, headOf("GET /api/tags", `${right}\0`));
    expect(withNul?.statusCode).toBe(400);
    const long = `Authorization: Bearer ${"x".repeat(2 ** 20)}`;
    expect((await ask(foreman.port, headOf("GET /api/tags", long)))?.statusCode).toBe(431);
    expect((await ask(foreman.port, headOf("GET /api/tags", right)))?.statusCode).toBe(200);
  });

  test("A2 no other text is taken for the token", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, settings);
    const printable = fc.string({ unit: fc.integer({ min: 32, max: 126 }).map(charOf) });

    await fc.assert(
      fc.asyncProperty(printable, async (text) => {
        const answer = await ask(foreman.port, headOf("GET /api/tags", `Authorization: ${text}`));
        expect(answer?.statusCode).toBe(401);
      }),
      { numRuns: 100, seed: 20_261_120 },
    );
  });
});

describe("pages of other sites", () => {
  const foreign = ["http://evil.example", "https://localhost.evil.example", "null", "file"];
  const paths = ["/api/chat", "/v1/chat/completions", "/api/pull", "/api/tags", "/livez", "/jobs"];
  const asPage = (line: string, origin: string, ...headers: string[]) =>
    headOf(line, `Origin: ${origin}`, "Content-Type: text/plain", ...headers);
  const corsOf = (answer: Answer | null) =>
    answer?.headers.filter(([name]) => /^access-control/i.test(name));

  test("A7 get 403 without CORS headers for whatever they post, and nothing happens", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);

    for (const origin of foreign) {
      for (const path of paths) {
        for (const method of ["POST", "GET", "OPTIONS"]) {
          const preflight = "Access-Control-Request-Method: POST";
          const answer = await ask(foreman.port, asPage(`${method} ${path}`, origin, preflight));
          expect([origin, method, path, answer?.statusCode]).toEqual([origin, method, path, 403]);
          expect([answer?.body, corsOf(answer)]).toEqual(["", []]);
        }
      }
    }
    expect(asked(sim)).toEqual([]);
    expect(foreman.logged.some(({ msg }) => msg === "job queued")).toBe(false);
  });

  test("A7 a name that was made to point here (DNS rebinding) opens nothing", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const statusOf = async (path: string, host: string, origin: string | null) => {
      const originLine = origin === null ? "" : `Origin: ${origin}\r\n`;
      const head = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${originLine}\r\n`;
      return (await ask(foreman.port, head))?.statusCode;
    };

    for (const path of ["/", "/api/tags", "/api/status", "/livez", "/nowhere"]) {
      expect(await statusOf(path, "evil.example", null)).toBe(403);
      expect(await statusOf(path, `evil.example:${foreman.port}`, null)).toBe(403);
      expect(await statusOf(path, "evil.example", "http://evil.example")).toBe(403);
      expect(await statusOf(path, "localhost.evil.example", null)).toBe(403);
      expect(await statusOf(path, "1.2.3.4", null)).toBe(403);
    }
    expect(asked(sim)).toEqual([]);
    expect(await statusOf("/api/status", `localhost:${foreman.port}`, null)).toBe(200);
  });

  test("A7 pages that Ollama trusts come in on its routes, and on no route of foreman's", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const origin = "http://localhost:5173";

    const tags = await ask(foreman.port, asPage("GET /api/tags", origin));
    const own = await ask(foreman.port, asPage("GET /healthz", origin));

    expect(tags?.statusCode).toBe(200);
    expect(corsOf(tags)).toEqual([["Access-Control-Allow-Origin", origin]]);
    expect([own?.statusCode, corsOf(own)]).toEqual([403, []]);
  });

  test("A7 FOREMAN_ALLOWED_HOSTS lets a name in, and no other", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_ALLOWED_HOSTS: "gpu.example" });
    const statusOf = (host: string) =>
      new Promise((resolve) => {
        const headers = { Host: host };
        request({ port: foreman.port, path: "/api/version", headers }, (answer) => {
          resolve(answer.resume().statusCode);
        }).end();
      });

    expect(await statusOf("gpu.example:8080")).toBe(200);
    expect(await statusOf("GPU.example")).toBe(200);
    expect(await statusOf("other.gpu.example")).toBe(403);
  });
});

function charOf(code: number): string {
  return String.fromCharCode(code);
}
