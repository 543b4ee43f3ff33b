import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { codeOfStatus, failureCodes } from "../../src/runtime/failure-codes.ts";

describe("a failed generation", () => {
  test.each([
    [301, "provider_misconfigured"],
    [307, "provider_misconfigured"],
    [400, "provider_refused"],
    [401, "provider_misconfigured"],
    [403, "provider_misconfigured"],
    [404, "model_not_found"],
    [408, "provider_timeout"],
    [413, "provider_refused"],
    [422, "provider_refused"],
    [429, "rate_limited"],
    [500, "provider_failed"],
    [502, "provider_unavailable"],
    [503, "provider_unavailable"],
    [504, "provider_timeout"],
    [529, "provider_failed"],
    [999, "provider_failed"],
  ] as const)("of status %i is %s", (statusCode, code) => {
    expect(codeOfStatus(statusCode)).toBe(code);
  });

  test("is described in docs/api.md as it is", () => {
    const page = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| `(\w+)` \| (\d{3}) \| (yes|no) \| (yes|no) \|/gm)];

    const word = (holds: boolean) => (holds ? "yes" : "no");
    expect(rows.map(([, ...row]) => row)).toEqual(
      Object.entries(failureCodes).map(([code, { isPassing, mayTryNext, statusCode }]) => {
        return [code, String(statusCode), word(isPassing), word(mayTryNext)];
      }),
    );
  });
});
