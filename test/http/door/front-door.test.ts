import { describe, expect, test } from "vitest";
import { passesOf, refuseUnsound, routePath } from "../../../src/http/door/front-door.ts";
import { viaToken } from "../../../src/target/via.ts";
import { headOf, received } from "../received.ts";

async function statusOf(text: string): Promise<number | null> {
  const { incoming } = await received(text);
  return refuseUnsound(incoming)?.statusCode ?? null;
}

describe("the front door", () => {
  test.each([
    ["a plain question", headOf("GET /api/tags HTTP/1.1"), null],
    ["a body with its length", headOf("POST /api/chat HTTP/1.1", ["Content-Length: 0"]), null],
    ["a chunked body", headOf("POST /a HTTP/1.1", ["Transfer-Encoding: Chunked"]), null],
    ["an old client with a Host", headOf("GET / HTTP/1.0"), null],
    ["a GET that announces no bytes", headOf("GET / HTTP/1.1", ["Content-Length: 0"]), null],
    ["a DELETE with a body", headOf("DELETE /a HTTP/1.1", ["Content-Length: 2"]), null],
    ["a preflight", headOf("OPTIONS /api/chat HTTP/1.1"), null],
  ])("lets %s in", async (_, text, status) => {
    expect(await statusOf(text)).toBe(status);
  });

  test.each([
    ["no Host", "GET / HTTP/1.1\r\nX-A: 1\r\n\r\n", 400],
    ["two Hosts", headOf("GET / HTTP/1.1", ["Host: a", "host: b"]), 400],
    ["two equal Hosts", headOf("GET / HTTP/1.1", ["Host: a", "Host: a"]), 400],
    ["an empty Host", headOf("GET / HTTP/1.1", ["Host:"]), 400],
    ["a method that reflects", headOf("TRACE / HTTP/1.1"), 405],
    ["a method that nobody knows here", headOf("PROPFIND / HTTP/1.1"), 405],
    ["another origin's URL", headOf("GET http://evil.test/api/tags HTTP/1.1"), 400],
    ["a server-wide OPTIONS", headOf("OPTIONS * HTTP/1.1"), 400],
    ["a fragment", headOf("GET /api/tags#x HTTP/1.1"), 400],
    ["a broken escape", headOf("GET /api/%zz HTTP/1.1"), 400],
    ["an escape of half a character", headOf("GET /api/%c3 HTTP/1.1"), 400],
    [
      "a coding that is not chunked",
      headOf("POST /a HTTP/1.1", ["Transfer-Encoding: gzip, chunked"]),
      501,
    ],
    ["a body on a GET", headOf("GET /api/tags HTTP/1.1", ["Content-Length: 1"]), 400],
    ["a chunked body on a HEAD", headOf("HEAD / HTTP/1.1", ["Transfer-Encoding: chunked"]), 400],
  ])("turns %s away", async (_, text, status) => {
    expect(await statusOf(text)).toBe(status);
  });
});

describe("the path by which a route is found", () => {
  test.each([
    ["/api/chat", "/api/chat"],
    ["/api/chat?a=/b", "/api/chat"],
    ["/api/%63hat", "/api/chat"],
    ["/api%2fchat", "/api/chat"],
    ["/api/%2563hat", "/api/%63hat"],
    ["/a%3Fb?c", "/a?b"],
    ["/%E0%A4%A", null],
  ])("of %s is %s, decoded once", (url, path) => {
    expect(routePath(url)).toBe(path);
  });
});

describe("how often a request has been here", () => {
  test.each([
    ["never", [], 0],
    ["never, though through others", ["Via: 1.1 nginx, 1.1 foreman, 1.1 foreman-0"], 0],
    ["once", [`Via: 1.1 nginx, ${viaToken}`], 1],
    ["twice, told in two headers", [`Via: ${viaToken}`, `via: 1.1 nginx,${viaToken}`], 2],
  ])("%s", async (_, headers, passes) => {
    const { incoming } = await received(headOf("GET / HTTP/1.1", headers));

    expect(passesOf(incoming)).toBe(passes);
  });
});
