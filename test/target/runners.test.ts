import { describe, expect, test } from "vitest";
import { joinLoadKey, loadKeyOf } from "../../src/target/load-key.ts";
import { Runners } from "../../src/target/runners.ts";
import { aBlueprint, inventoryOf, list } from "./blueprint-scene.ts";

function scene(models: Readonly<Record<string, string>>) {
  const inventory = inventoryOf([]);
  list(inventory, models);
  return { inventory, runners: new Runners(inventory) };
}

const smaller = aBlueprint({ parameters: new Map([["num_ctx", "8192"]]) });

describe("the runner of a load key", () => {
  test("is that of the manifest and of the request's options while no more is known", () => {
    const { runners } = scene({ m: "d1", copy: "d1", other: "d2" });

    expect(runners.keyOf(loadKeyOf("m", ""))).toBe("d1");
    expect(runners.keyOf(loadKeyOf("COPY:latest", ""))).toBe("d1");
    expect(runners.keyOf(loadKeyOf("m", "num_ctx=4096"))).toBe("d1 num_ctx=4096");
    expect(runners.keyOf(loadKeyOf("other", ""))).toBe("d2");
  });

  test("is shared by all names of the same blobs and options", () => {
    const { inventory, runners } = scene({ base: "d1", sys: "d2", small: "d3", lora: "d4" });
    inventory.learn("d1", aBlueprint());
    inventory.learn("d2", aBlueprint());
    inventory.learn("d3", smaller);
    inventory.learn("d4", aBlueprint({ additions: ["a"] }));
    const keyOf = (name: string, options = "") => runners.keyOf(loadKeyOf(name, options));

    expect(keyOf("sys")).toBe(keyOf("base"));
    expect(keyOf("small")).not.toBe(keyOf("base"));
    expect(keyOf("base", "num_ctx=8192")).toBe(keyOf("small"));
    expect(keyOf("small", "num_ctx=4096")).toBe(keyOf("sys", "num_ctx=4096"));
    expect(keyOf("lora")).toBe("w +a");
    expect(keyOf("lora", "num_ctx=4096")).toBe("w +a,num_ctx=4096");
  });

  test("is another as soon as more is learned, and the old one when the manifest goes", () => {
    const { inventory, runners } = scene({ m: "d1" });
    const loadKey = loadKeyOf("m", "");
    const before = runners.revision;
    expect(runners.keyOf(loadKey)).toBe("d1");

    inventory.learn("d1", smaller);
    expect(runners.keyOf(loadKey)).toBe("w num_ctx=8192");
    expect(runners.revision).toBeGreaterThan(before);

    list(inventory, { m: "d2" });
    expect(runners.keyOf(loadKey)).toBe("d2");
    list(inventory, { m: "d1" });
    expect(runners.keyOf(loadKey)).toBe("d1");
  });

  test("follows the name of a job that waits, and the manifest of one that runs", () => {
    const { inventory, runners } = scene({ m: "d1" });
    const loadKey = loadKeyOf("m", "num_ctx=512");
    const pinned = runners.pin(loadKey);

    list(inventory, { m: "d2" });

    expect(runners.keyOf(loadKey)).toBe("d2 num_ctx=512");
    expect(runners.keyOf(pinned)).toBe("d1 num_ctx=512");
    expect(runners.pin(pinned)).toBe(pinned);
  });

  test("is told of rows that were written with a digest, and of names that nobody lists", () => {
    const { inventory, runners } = scene({ m: "d1" });
    inventory.learn("d1", smaller);

    expect(runners.keyOf(joinLoadKey("d1", "num_ctx=4096"))).toBe("w num_ctx=4096");
    expect(runners.keyOf(loadKeyOf("gone", ""))).toBe("registry.ollama.ai/library/gone:latest");
    expect(runners.keyOf(loadKeyOf("not a name", "num_ctx=1"))).toBe("not%20a%20name num_ctx=1");
  });
});

describe("the model of a runner, for people", () => {
  test("is the name that was asked for, as the target lists it", () => {
    const { runners } = scene({ Mine: "d1" });

    expect(runners.modelOf(loadKeyOf("mine", "num_ctx=1"))).toBe("Mine:latest");
    expect(runners.modelOf(loadKeyOf("gone", ""))).toBe("registry.ollama.ai/library/gone:latest");
  });

  test("is one whose own runner it is, else one of the same weights", () => {
    const { inventory, runners } = scene({ base: "d1", small: "d2" });
    inventory.learn("d1", aBlueprint());
    inventory.learn("d2", smaller);

    expect(runners.modelOn("w num_ctx=8192")).toBe("small:latest");
    expect(runners.modelOn("w num_ctx=512")).toBe("base:latest");
    expect(runners.modelOn("gone num_ctx=512")).toBe("gone");
  });
});
