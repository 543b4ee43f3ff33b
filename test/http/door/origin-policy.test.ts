import { describe, expect, test } from "vitest";
import { originPolicy, ownOriginPolicy } from "../../../src/http/door/origin-policy.ts";
import { originProblem } from "../../../src/wire/origin-pattern.ts";
import { readFixture } from "../../fixtures/read-fixture.ts";

type OriginCase = {
  origins: string[];
  method: string;
  host: string;
  origin: string | null;
  status: number;
  headers: string[][] | null;
};

/** The answer to a request that passes: the router knows GET there, and does not know OPTIONS. */
const passedStatus: Record<string, number> = { GET: 200, OPTIONS: 405 };

describe("originPolicy", () => {
  test("decides as Ollama does, header by header", () => {
    for (const row of readFixture<OriginCase>("origins")) {
      const decision = originPolicy({ origins: row.origins })(row);

      const label = JSON.stringify(row);
      const status = decision.kind === "pass" ? passedStatus[row.method] : decision.statusCode;
      expect(status, label).toBe(row.status);
      const headers = decision.kind === "refuse" ? [] : decision.headers;
      expect(headers, label).toEqual((row.headers ?? []).flat());
    }
  });

  test("does not start with an origin that Ollama would not start with", () => {
    expect(() => originPolicy({ origins: ["example.com"] })).toThrow("origin");
    expect(originProblem("https://*.example.*")).toBe("only one * is allowed");
    expect(originProblem("moz-extension://abc")).toBeNull();
  });
});

test("an origin of a list is taken as it is written, and no other that it begins or ends like", () => {
  const decide = originPolicy({ origins: ["https://exact.example"] });
  const isRefused = (origin: string) =>
    decide({ method: "GET", host: null, origin }).kind === "refuse";

  expect(isRefused("https://exact.example")).toBe(false);
  expect(isRefused("https://exact.exampl")).toBe(true);
  expect(isRefused("https://exact.example.org")).toBe(true);
});

describe("ownOriginPolicy", () => {
  const decide = ownOriginPolicy({ origins: ["https://velocity.example.com"] });
  const host = "foreman.lan:8080";

  test.each([null, "", "http://foreman.lan:8080", "https://foreman.lan:8080"])(
    "lets a request of its own pages pass: %s",
    (origin) => {
      expect(decide({ method: "POST", host, origin })).toEqual({ kind: "pass", headers: [] });
    },
  );

  test.each(["http://localhost:3000", "null", "app://x", "http://foreman.lan"])(
    "refuses what Ollama's routes might take: %s",
    (origin) => {
      expect(decide({ method: "GET", host, origin }).kind).toBe("refuse");
    },
  );

  test("answers the preflight of a listed origin", () => {
    const origin = "https://velocity.example.com";

    const decision = decide({ method: "OPTIONS", host, origin });

    expect(decision).toMatchObject({ kind: "preflight", statusCode: 204 });
    expect(decision).toHaveProperty("headers", expect.arrayContaining([origin]));
    const allowed = "Authorization,Content-Type,Accept,Idempotency-Key,Last-Event-ID";
    expect(decision).toHaveProperty("headers", expect.arrayContaining([allowed]));
  });
});
