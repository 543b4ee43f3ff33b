import { describe, expect, test } from "vitest";
import { canonicalInventoryName, canonicalModelName } from "../../src/target/model-name.ts";
import { parseModelRef } from "../../src/wire/model-ref.ts";
import { readFixture } from "../fixtures/read-fixture.ts";

type NameCase = {
  name: string;
  canonical: string | null;
  source: string;
  listed: string | null;
};

describe("model names", () => {
  test("are taken for what Ollama takes them for", () => {
    for (const { name, canonical, source, listed } of readFixture<NameCase>("model-names")) {
      const ref = parseModelRef(name);

      expect(canonicalModelName(name), name).toBe(canonical);
      expect(ref.kind === "named" ? ref.source : "default", name).toBe(source);
      expect(canonicalInventoryName(name), name).toBe(listed);
    }
  });

  test("are one model in all their spellings", () => {
    const spellings = ["M", "m:latest", "library/m", "https://registry.ollama.ai/Library/M:LATEST"];

    const canonical = new Set(spellings.map(canonicalModelName));

    expect([...canonical]).toEqual(["registry.ollama.ai/library/m:latest"]);
  });

  test("do not let a cloud stub pass for the local model", () => {
    expect(canonicalModelName("m:20b-cloud")).toBe(canonicalModelName("m:20b"));
    expect(canonicalInventoryName("m:20b-cloud")).not.toBe(canonicalInventoryName("m:20b"));
  });
});
