/** The vectors of docs/api.md; made a second time with Python's rfc8785 0.1.4. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalize } from "../../src/runtime/canonical-json.ts";
import { readFixture } from "../fixtures/read-fixture.ts";

type Vector = { readonly json: string; readonly canonical: string; readonly sha256: string };

const vectors = readFixture<Vector>("payload-hashes");

describe("canonical JSON", () => {
  test("is that of a second implementation", () => {
    expect(vectors.length).toBeGreaterThan(8);
    for (const { canonical, json, sha256 } of vectors) {
      const text = canonicalize(JSON.parse(json));
      expect(text).toBe(canonical);
      expect(createHash("sha256").update(text).digest("hex")).toBe(sha256);
    }
  });

  test("has its hashes published for the first nine", () => {
    const page = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");

    for (const { json, sha256 } of vectors.slice(0, 9)) {
      expect(page).toContain(`${sha256}  ${json}\n`);
    }
  });

  test("does not depend on the order of members, or on space", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (members) => {
        const turned = Object.fromEntries(Object.entries(members).toReversed());

        expect(canonicalize(turned)).toBe(canonicalize(members));
        expect(JSON.parse(canonicalize(members))).toEqual(JSON.parse(JSON.stringify(members)));
      }),
    );
  });

  test.each([{ content: "\ud800" }, { "\udfff": 1 }, [Number.POSITIVE_INFINITY]])(
    "is refused for %o, which has none",
    (json) => {
      expect(() => canonicalize(json)).toThrow(Error);
    },
  );
});
