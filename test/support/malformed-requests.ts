const get = (target: string, ...headers: string[]) =>
  `${[`GET ${target} HTTP/1.1`, "Host: localhost", ...headers].join("\r\n")}\r\n\r\n`;

const post = (headers: readonly string[], body: string) =>
  `${["POST /api/show HTTP/1.1", "Host: localhost", ...headers].join("\r\n")}\r\n\r\n${body}`;

const chunked = "Transfer-Encoding: chunked";

/** Requests that no server may take for sound (RFC 9112), each with the status of its refusal. */
export const malformedRequests: Readonly<
  Record<string, readonly [statusCode: number, bytes: string]>
> = {
  "both framings": [400, post(["Content-Length: 5", chunked], "0\r\n\r\n")],
  "two equal lengths": [400, post(["Content-Length: 2", "Content-Length: 2"], "{}")],
  "two different lengths": [400, post(["Content-Length: 2", "Content-Length: 3"], "{}")],
  "a length with a plus": [400, post(["Content-Length: +2"], "{}")],
  "a negative length": [400, post(["Content-Length: -2"], "{}")],
  "a list of lengths": [400, post(["Content-Length: 2, 2"], "{}")],
  "a length in hex": [400, post(["Content-Length: 0x2"], "{}")],
  "a length past all bounds": [400, post(["Content-Length: 99999999999999999999"], "{}")],
  "an unknown transfer coding": [501, post(["Transfer-Encoding: xchunked"], "0\r\n\r\n")],
  "gzip below chunked": [501, post(["Transfer-Encoding: gzip, chunked"], "0\r\n\r\n")],
  "chunked below identity": [400, post(["Transfer-Encoding: chunked, identity"], "0\r\n\r\n")],
  "chunked twice": [400, post([chunked, chunked], "0\r\n\r\n")],
  "a space before the colon": [400, post(["Content-Length : 2"], "{}")],
  "a folded header": [400, post(["X-A: b\r\n c", "Content-Length: 2"], "{}")],
  "a bare line feed": [400, "GET /api/status HTTP/1.1\nHost: localhost\n\n"],
  "a bare line feed between headers": [400, get("/api/status", "X-A: b\nX-C: d")],
  "a bare carriage return": [400, get("/api/status", "X-A: b\rX-C: d")],
  "a NUL in a header": [400, get("/api/status", "X-A: b\0c")],
  "chunks ended by a line feed": [400, post([chunked], "2\n{}\n0\n\n")],
  "a chunk size past all bounds": [400, post([chunked], "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n")],
  "a negative chunk size": [400, post([chunked], "-2\r\n{}\r\n0\r\n\r\n")],
  "a chunk longer than its size": [400, post([chunked], "2\r\n{}XX0\r\n\r\n")],
  "a chunk extension of 20 kB": [413, post([chunked], `2;${"x".repeat(20_000)}\r\n{}\r\n`)],
  "UTF-8 in the target": [400, get("/api/\xc3\xa9")],
  "a method in lower case": [400, "get /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  "HTTP/0.9": [505, "GET /api/status\r\n\r\n"],
  "HTTP/1.2": [400, "GET /api/status HTTP/1.2\r\nHost: localhost\r\n\r\n"],
  "HTTP/2.0": [505, "GET /api/status HTTP/2.0\r\nHost: localhost\r\n\r\n"],
  "HTTP/2 with prior knowledge": [400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  "chunks in HTTP/1.0": [
    501,
    `POST /api/show HTTP/1.0\r\nHost: localhost\r\n${chunked}\r\n\r\n0\r\n\r\n`,
  ],
  "a header of 17 kB": [431, get("/api/status", `X-A: ${"b".repeat(17_000)}`)],
  "3000 small headers": [431, get("/api/status", ...Array(3_000).fill("X-A:"))],
  "an unknown expectation": [417, post(["Expect: 200-maybe", "Content-Length: 2"], "{}")],
};
