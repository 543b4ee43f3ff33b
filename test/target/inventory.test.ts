import { describe, expect, test } from "vitest";
import { Inventory, type PolledRoute } from "../../src/target/inventory.ts";
import { aBlueprint } from "./blueprint-scene.ts";

const tags = '{"models":[{"name":"Llama3:8B","digest":"d1"},{"name":"x/y:latest","digest":"d2"}]}';

function reply(body: string) {
  return { contentType: "application/json", body: Buffer.from(body) };
}

function inventoryOf(replies: { readonly [route in PolledRoute]?: string }): Inventory {
  const inventory = new Inventory();
  for (const [route, body] of Object.entries(replies)) {
    expect(inventory.accept(route as PolledRoute, reply(body))).toBeNull();
  }
  return inventory;
}

describe("the inventory", () => {
  test("knows nothing before the target's list was read, so no name can be called unknown", () => {
    const inventory = inventoryOf({ "/api/version": '{"version":"0.33.0"}' });

    expect(inventory.listings).toBe(0);
    expect(inventory.version).toBe("0.33.0");
    expect(inventory.reply("/api/tags")).toBeNull();
  });

  test("serves a reply byte for byte, fields and spaces that it does not know included", () => {
    const body = '{ "models" : [ ], "новое": 1e400 }';
    const inventory = inventoryOf({ "/api/tags": body });

    expect(inventory.reply("/api/tags")?.body.toString()).toBe(body);
    expect(inventory.listings).toBe(1);
  });

  test.each([
    ["llama3:8b", "d1"],
    ["LLAMA3:8B", "d1"],
    ["registry.ollama.ai/library/llama3:8b", "d1"],
    ["x/y", "d2"],
    ["llama3", null],
    ["llama3:70b", null],
    ["", null],
    ["not a name", null],
  ])("finds %j where Ollama would find it", (name, digest) => {
    const inventory = inventoryOf({ "/api/tags": tags });

    expect(inventory.find(name)?.digest ?? null).toBe(digest);
  });

  test.each([
    ["/api/tags", "<html>502 Bad Gateway</html>"],
    ["/api/tags", tags.slice(0, -1)],
    ["/api/tags", "[]"],
    ["/api/tags", '{"models":{"name":"m"}}'],
    ["/api/tags", '{"models":[{"name":7}]}'],
    ["/api/tags", '{"error":"busy"}'],
    ["/api/tags", ""],
    ["/api/ps", '{"models":[{"name":"m","digest":[]}]}'],
    ["/api/version", '{"version":33}'],
    ["/v1/models", "<html></html>"],
    ["/v1/models", ""],
  ] as const)("U10: %s keeps its last good reply when %j comes", (route, nonsense) => {
    const good = { "/api/tags": tags, "/api/ps": tags, "/v1/models": "{}" } as const;
    const inventory = inventoryOf({ ...good, "/api/version": '{"version":"0.33.0"}' });
    const before = [inventory.reply(route), inventory.revision, inventory.models.size];

    const problem = inventory.accept(route, reply(nonsense));

    expect(problem).toMatch(new RegExp(`^${route}: .`));
    expect([inventory.reply(route), inventory.revision, inventory.models.size]).toEqual(before);
    expect(inventory.loaded).toHaveLength(2);
    expect(inventory.version).toBe("0.33.0");
  });

  test("takes Go's null for an empty list", () => {
    const inventory = inventoryOf({ "/api/tags": tags, "/api/ps": '{"models":null}' });

    expect(inventory.accept("/api/tags", reply('{"models":null}'))).toBeNull();
    expect(inventory.models.size).toBe(0);
    expect(inventory.loaded).toEqual([]);
  });

  test("sees an alias as loaded when its blob is, and forgets that with the target", () => {
    const inventory = inventoryOf({
      "/api/tags": '{"models":[{"name":"a","digest":"d"},{"name":"b","digest":"e"}]}',
      "/api/ps": '{"models":[{"name":"copy-of-a","digest":"d"}]}',
    });

    expect(inventory.isLoaded(inventory.find("a")!)).toBe(true);
    expect(inventory.isLoaded(inventory.find("b")!)).toBe(false);

    inventory.forgetLoaded();

    expect(inventory.isLoaded(inventory.find("a")!)).toBe(false);
    expect(inventory.find("a")).not.toBeNull();
  });

  test("sees a name as loaded when its weights are, whatever manifest loaded them", () => {
    const inventory = inventoryOf({
      "/api/tags": '{"models":[{"name":"a","digest":"d"},{"name":"b","digest":"e"}]}',
      "/api/ps": '{"models":[{"name":"a","digest":"d"}]}',
    });
    inventory.learn("d", aBlueprint());
    expect(inventory.isLoaded(inventory.find("b")!)).toBe(false);

    inventory.learn("e", aBlueprint());

    expect(inventory.isLoaded(inventory.find("b")!)).toBe(true);
  });

  test("keeps what was learned of a manifest for as long as it is listed", () => {
    const inventory = inventoryOf({ "/api/tags": tags });
    inventory.learn("d1", aBlueprint());
    inventory.learn("d2", aBlueprint());
    const before = inventory.runnersRevision;

    inventory.accept("/api/tags", reply('{"models":[{"name":"other","digest":"d2"}]}'));

    expect(inventory.blueprint("d1")).toBeNull();
    expect(inventory.blueprint("d2")).toEqual(aBlueprint());
    expect(inventory.runnersRevision).toBeGreaterThan(before);
  });

  test("is worth writing down anew only when something lasting changed", () => {
    const inventory = inventoryOf({ "/api/tags": tags });
    const { revision } = inventory;

    inventory.accept("/api/tags", reply(tags));
    inventory.accept("/api/ps", reply('{"models":[]}'));
    expect(inventory.revision).toBe(revision);

    inventory.accept("/api/tags", reply('{"models":[]}'));
    expect(inventory.revision).toBeGreaterThan(revision);
  });
});
