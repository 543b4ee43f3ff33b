import { describe, expect, test } from "vitest";
import { parseGoDuration } from "../../src/wire/go-duration.ts";
import { goQuote } from "../../src/wire/go-quote.ts";
import { readFixture } from "../fixtures/read-fixture.ts";

type Duration = { text: string; ns?: string; error?: string };

describe("goQuote", () => {
  test("quotes as Go does", () => {
    for (const { text, quoted } of readFixture<{ text: string; quoted: string }>("go-quotes")) {
      expect(goQuote(text)).toBe(quoted);
    }
  });
});

describe("parseGoDuration", () => {
  test("reads what Go reads, and complains in its words", () => {
    for (const { text, ns, error } of readFixture<Duration>("go-durations")) {
      const parsed = parseGoDuration(text);

      const outcome = parsed.kind === "duration" ? String(parsed.ns) : parsed.message;
      expect(outcome, text).toBe(ns ?? error);
    }
  });
});
