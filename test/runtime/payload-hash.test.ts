/** The vectors of docs/api.md; made a second time with Python's rfc8785 0.1.4. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import { canonicalJson, payloadHash } from "../../src/runtime/payload-hash.ts";
import { readFixture } from "../fixtures/read-fixture.ts";

type Vector = { readonly json: string; readonly canonical: string; readonly sha256: string };

const vectors = readFixture<Vector>("payload-hashes");

describe("payloadHash", () => {
  test("is that of a second implementation", () => {
    expect(vectors.length).toBeGreaterThan(8);
    for (const { canonical, json, sha256 } of vectors) {
      expect(canonicalJson(JSON.parse(json))).toBe(canonical);
      expect(payloadHash(JSON.parse(json))).toBe(sha256);
    }
  });

  test("is published with the first nine", () => {
    const page = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");

    for (const { json, sha256 } of vectors.slice(0, 9)) {
      expect(page).toContain(`${sha256}  ${json}\n`);
    }
  });

  test("does not depend on the order of members, or on space", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (members) => {
        const turned = Object.fromEntries(Object.entries(members).toReversed());

        expect(payloadHash(turned)).toBe(payloadHash(members));
        expect(JSON.parse(canonicalJson(members))).toEqual(JSON.parse(JSON.stringify(members)));
      }),
    );
  });

  test("refuses half a surrogate pair, of which there is no canonical form", () => {
    expect(() => payloadHash({ content: "\ud800" })).toThrow(ForemanError);
  });
});
