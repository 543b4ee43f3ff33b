/** What is HTTP and what is not: requests byte by byte, and what of them reaches the target. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ask, headerIn } from "../support/ask.ts";
import { asked } from "../support/asked.ts";
import { malformedRequests } from "../support/malformed-requests.ts";
import { RawClient } from "../support/raw-client.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";

const get = (target: string, ...headers: string[]) =>
  `${[`GET ${target} HTTP/1.1`, "Host: localhost", ...headers].join("\r\n")}\r\n\r\n`;

describe("foreman's front door", () => {
  test("H1 malformed framings are refused, their connection is closed, the target sees none", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);

    const seen = await Promise.all(
      Object.entries(malformedRequests).map(async ([what, [, bytes]]) => {
        const client = await new RawClient(foreman.port).send(bytes).over();
        client.leave();
        return [what, Number(client.text.split(" ")[1])] as const;
      }),
    );

    const expected = Object.entries(malformedRequests).map(([what, [statusCode]]) => [
      what,
      statusCode,
    ]);
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(expected));
    expect(asked(sim)).toEqual([]);
    expect((await ask(foreman.port, get("/api/status")))?.statusCode).toBe(200);
  });

  test("H2 two Hosts, none, an empty, a broken or a foreign one never reach the target", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const withHosts = (...hosts: string[]) =>
      `GET /api/status HTTP/1.1\r\n${hosts.map((host) => `Host: ${host}\r\n`).join("")}\r\n`;
    const statusOf = async (...hosts: string[]) =>
      (await ask(foreman.port, withHosts(...hosts)))?.statusCode;

    expect(await statusOf("localhost", "localhost")).toBe(400);
    expect(await statusOf("localhost", "evil.example")).toBe(400);
    expect(await statusOf()).toBe(400);
    expect(await statusOf("")).toBe(400);
    expect(await statusOf("local host/<x>")).toBe(400);
    expect(await statusOf("evil.example@localhost")).toBe(400);
    expect(await statusOf("evil.example")).toBe(403);
    expect(asked(sim)).toEqual([]);
    expect(await statusOf("localhost:11434")).toBe(200);
  });

  test("H3 no request target chooses where foreman connects to", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const statusOf = async (target: string) => (await ask(foreman.port, get(target)))?.statusCode;

    expect(await statusOf("http://evil.example/api/status")).toBe(400);
    expect(await statusOf("//evil.example/x")).toBe(404);
    expect(await statusOf("/\\evil.example/x")).toBe(400);
    expect(await statusOf("evil.example:80")).toBe(400);
    expect(await statusOf("*")).toBe(400);
    expect(asked(sim)).toEqual([]);

    const doubled = await ask(foreman.port, get("//api/status"));
    expect(doubled?.statusCode).toBe(307);
    expect(headerIn(doubled, "location")).toBe("/api/status");
    expect(asked(sim).map(({ path }) => path)).toEqual(["//api/status"]);
    expect(asked(sim)[0]?.rawHeaders).toContain(`127.0.0.1:${sim.port}`);
  });

  test("H6 each method is answered as Ollama answers it, or not at all", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const answerTo = async (line: string, more = "") => {
      const answer = await ask(foreman.port, `${line} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`);
      return answer && [answer.statusCode, headerIn(answer, "allow"), answer.body];
    };

    expect(await answerTo("GET /")).toEqual([200, null, "Ollama is running"]);
    expect(await answerTo("HEAD /")).toEqual([200, null, ""]);
    expect(await answerTo("HEAD /api/version")).toEqual([200, null, ""]);
    expect(await answerTo("HEAD /api/tags")).toEqual([200, null, ""]);
    expect(await answerTo("HEAD /api/ps")).toEqual([405, "GET", ""]);
    expect(await answerTo("GET /api/chat")).toEqual([405, "POST", "405 method not allowed"]);
    expect(await answerTo("DELETE /api/tags")).toEqual([
      405,
      "HEAD, GET",
      "405 method not allowed",
    ]);
    expect(await answerTo("OPTIONS /api/tags")).toEqual([204, null, ""]);
    expect(await answerTo("TRACE /")).toEqual([405, null, "405 method not allowed"]);
    expect(await answerTo("PROPFIND /api/tags")).toEqual([405, null, "405 method not allowed"]);
    expect(await answerTo("CONNECT evil.example:443")).toBeNull();
    expect(await answerTo("GET /api/tags", "Content-Length: 2\r\n")).toEqual([
      400,
      null,
      "GET takes no body",
    ]);
    expect(await answerTo("HEAD /api/tags", "Transfer-Encoding: chunked\r\n")).toEqual([
      400,
      null,
      "",
    ]);
  });

  test("H11 path and query reach the target byte for byte, or are refused", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_LOG_LEVEL: "warn" });
    const piece = fc.constantFrom(
      ...["%00", "%2f", "%2F", "%25", "%3f", "%e2%82%ac", "%ff", "%zz", "%", "#", "\xe9"],
      ...[";", "+", "&", "=", "?", "~", "'", '"', "|", "{", "^", "\\", "[", ":", "@", "a", "."],
    );
    const target = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(""));
    const isRefused = (url: string) => {
      const [path = ""] = url.split("?", 1);
      return /[#\x80-\xff]/.test(url) || !isDecodable(path) || path.includes("\\");
    };

    await fc.assert(
      fc.asyncProperty(target, async (text) => {
        const url = `/api/x${text}`;
        sim.journal.clear();

        const answer = await ask(foreman.port, get(url));

        if (isRefused(url)) expect([answer?.statusCode, asked(sim)]).toEqual([400, []]);
        else expect(asked(sim).map(({ path }) => path)).toEqual([url]);
      }),
      { numRuns: 150, seed: 20_261_120 },
    );
  });
});

function isDecodable(path: string): boolean {
  try {
    return decodeURIComponent(path) !== "";
  } catch {
    return false;
  }
}
