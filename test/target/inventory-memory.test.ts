import { describe, expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import { Inventory } from "../../src/target/inventory.ts";
import { inventoryKeeper, recallInventory } from "../../src/target/inventory-memory.ts";
import { logLines } from "../support/log-lines.ts";
import { MemoryStore } from "../support/memory-store.ts";

const models = '{"models":[{"name":"méta:latest","digest":"d1"}]}';
const json = (body: string) => ({ contentType: "application/json", body: Buffer.from(body) });

function scene() {
  const store = new MemoryStore();
  const inventory = new Inventory();
  const { lines, log } = logLines("warn");
  const keep = inventoryKeeper(inventory, store, log);
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { store, inventory, lines, keep, settle };
}

async function recalled(store: MemoryStore): Promise<Inventory> {
  const inventory = new Inventory();
  await recallInventory(inventory, store, logLines("silent").log);
  return inventory;
}

describe("the inventory after a restart", () => {
  test("is what it was, byte for byte, but nothing counts as loaded", async () => {
    const { inventory, keep, store } = scene();
    inventory.accept("/api/tags", { ...json(models), contentType: "application/json; a=b" });
    inventory.accept("/api/ps", json(models));
    inventory.accept("/api/version", json('{"version":"0.33.0"}'));
    keep();

    const later = await recalled(store);

    expect(later.reply("/api/tags")).toEqual(inventory.reply("/api/tags"));
    expect(later.find("méta")).toEqual(inventory.find("méta"));
    expect(later.version).toBe("0.33.0");
    expect(later.loaded).toEqual([]);
    expect(later.reply("/v1/models")).toBeNull();
  });

  test("is unknown when nothing was written down", async () => {
    expect((await recalled(new MemoryStore())).listings).toBe(0);
  });

  test.each(["", "{", "{}", '[{"route":"/api/gone","contentType":"","body":""}]'])(
    "is unknown, and no reason not to start, when its document reads %j",
    async (document) => {
      const store = new MemoryStore();
      await store.remember("inventory", Buffer.from(document));
      const { lines, log } = logLines("warn");
      const inventory = new Inventory();

      await recallInventory(inventory, store, log);

      expect(inventory.listings).toBe(0);
      expect(lines).toHaveLength(1);
    },
  );

  test("is written when something lasting changed, and not at each poll", async () => {
    const { inventory, keep, settle, store } = scene();
    keep();
    await settle();
    expect(await store.recall("inventory")).toBeNull();

    inventory.accept("/api/tags", json(models));
    keep();
    await settle();
    const written = await store.recall("inventory");
    expect(written).not.toBeNull();

    inventory.accept("/api/tags", json(models));
    inventory.accept("/api/ps", json('{"models":[]}'));
    keep();
    await settle();
    expect(await store.recall("inventory")).toBe(written);
  });

  test("that cannot be written is a warning and stops nobody", async () => {
    const { inventory, keep, lines, settle, store } = scene();
    store.failsWith = new ForemanError("storage_full", "the disk is full");
    inventory.accept("/api/tags", json(models));

    keep();
    await settle();

    expect(lines).toMatchObject([{ level: 40, err: { message: "the disk is full" } }]);
  });
});
