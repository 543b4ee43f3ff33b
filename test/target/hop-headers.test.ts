import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  headersForClient,
  headersForTarget,
  headerValue,
  headerValues,
  without,
} from "../../src/target/hop-headers.ts";

const hopByHop = ["Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Upgrade"];
const ofProxies = ["Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization"];

test.each([...hopByHop, ...ofProxies, "Transfer-Encoding"])("H4: %s passes neither way", (name) => {
  expect(headersForTarget([name, "v", "Accept", "*/*"])).toEqual(["Accept", "*/*"]);
  expect(headersForClient([name, "v", "Date", "now"])).toEqual(["Date", "now"]);
});

describe("headers on their way to the target", () => {
  test("H4: what Connection names ends at foreman, whatever its case and place", () => {
    const kept = headersForTarget([
      ...["X-Secret", "1", "connection", "x-secret , close", "Content-Type", "application/json"],
      ...["CONNECTION", "X-Other", "x-other", "2", "X-Kept", "3"],
    ]);

    expect(kept).toEqual(["Content-Type", "application/json", "X-Kept", "3"]);
  });

  test("H4: no header of the hop passes, and the others keep order, case and repetition", () => {
    const kept = headersForTarget([
      ...["X-a", "1", "Transfer-Encoding", "chunked", "x-A", "2", "Proxy-Authorization", "Basic x"],
      ...hopByHop.flatMap((name) => [name, "v"]),
      ...["Accept", "*/*"],
    ]);

    expect(kept).toEqual(["X-a", "1", "x-A", "2", "Accept", "*/*"]);
  });

  test("H4: what Connection says of the connection itself names no header", () => {
    const kept = headersForTarget([
      ...["Connection", "keep-alive, close,,", "Close", "1", "", "2"],
      ...["Connection", "keep-alive", "X-Kept", "3"],
    ]);

    expect(kept).toEqual(["Close", "1", "", "2", "X-Kept", "3"]);
  });

  test.each([
    ...["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Real-IP"],
    ...["Via", "X-Foreman-Job"],
  ])("H5: the client's own %s is not believed, nor passed on", (name) => {
    expect(headersForTarget([name, "10.0.0.1", "User-Agent", "ollama"])).toEqual([
      "User-Agent",
      "ollama",
    ]);
  });

  test.each(["Authorization", "X-Api-Key", "Cookie", "Host", "Origin", "Content-Length", "Expect"])(
    "the client's %s is for foreman alone",
    (name) => {
      expect(headersForTarget([name, "v"])).toEqual([]);
    },
  );

  test("names that only resemble such a header pass", () => {
    const alike = ["X-Forward", "1", "Hosts", "2", "X-Via", "3", "Content-Encoding", "gzip"];

    expect(headersForTarget(alike)).toEqual(alike);
  });

  test("no list of headers makes one of the hop pass, or one appear that was not sent", () => {
    const name = fc.constantFrom(...hopByHop, "X-A", "x-b", "Host", "Via");
    const value = fc.constantFrom("close", "x-a", "X-B, keep-alive", "", ",", "te");
    const pairs = fc.array(fc.tuple(name, value), { maxLength: 8 });

    fc.assert(
      fc.property(pairs, (sent) => {
        const kept = headersForTarget(sent.flat());
        const named = sent
          .filter(([each]) => each === "Connection")
          .flatMap(([, tokens]) => tokens.toLowerCase().split(/\s*,\s*/));
        const expected = sent.filter(
          ([each]) => /^x-/i.test(each) && !named.includes(each.toLowerCase()),
        );
        expect(kept).toEqual(expected.flat());
      }),
    );
  });
});

describe("headers on their way to the client", () => {
  test("H4: neither the hop's headers nor those that Connection names pass", () => {
    const kept = headersForClient([
      ...["Connection", "X-Secret", "X-Secret", "1", "Keep-Alive", "timeout=5"],
      ...["Transfer-Encoding", "chunked", "Content-Type", "application/x-ndjson"],
    ]);

    expect(kept).toEqual(["Content-Type", "application/x-ndjson"]);
  });

  test("the target's CORS is not repeated, since foreman decides it; the rest is untouched", () => {
    const kept = headersForClient([
      ...["Access-Control-Allow-Origin", "*", "access-control-max-age", "1"],
      ...["Content-Length", "3", "Set-Cookie", "a", "Set-Cookie", "b", "Date", "now"],
    ]);

    expect(kept).toEqual([
      ...["Content-Length", "3", "Set-Cookie", "a", "Set-Cookie", "b", "Date", "now"],
    ]);
  });
});

describe("one name among the headers", () => {
  const rawHeaders = ["X-Note", "via", "VIA", "1.1 a", "Via", "1.1 b"];

  test("is found in any case, the first or all, and never where it is a value", () => {
    expect(headerValue(rawHeaders, "via")).toBe("1.1 a");
    expect(headerValue(rawHeaders, "1.1 a")).toBeNull();
    expect(headerValues(rawHeaders, "via")).toEqual(["1.1 a", "1.1 b"]);
    expect(headerValues(rawHeaders, "1.1 a")).toEqual([]);
  });

  test("is taken out wherever it stands, and the others stay as they were", () => {
    expect(without(rawHeaders, "via")).toEqual(["X-Note", "via"]);
    expect(without(rawHeaders, "x-note")).toEqual(["VIA", "1.1 a", "Via", "1.1 b"]);
    expect(without(rawHeaders, "1.1 a")).toEqual(rawHeaders);
  });
});
