import { describe, expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import { ProviderSwitch } from "../../src/runtime/provider-switch.ts";
import { logLines } from "../support/log-lines.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { MemoryStore } from "../support/memory-store.ts";

const ann = { by: "ann", note: null };
const model = (name: string, isOn: boolean) => ({ key: `key of ${name}`, name, isOn });

async function scene(memory = new MemoryStore()) {
  const clock = new ManualClock();
  const { lines, log } = logLines();
  const providerSwitch = new ProviderSwitch({ memory, clock, log });
  await providerSwitch.recall();
  return { memory, clock, lines, providerSwitch };
}

describe("the operator's switch", () => {
  test("has everything on and no order until somebody decides", async () => {
    const { providerSwitch } = await scene();

    expect(providerSwitch.order).toBeNull();
    expect(providerSwitch.isOn("nemoclaw")).toBe(true);
    expect(providerSwitch.isModelOn("ollama", "constructor")).toBe(true);
    expect(providerSwitch.changes).toEqual([]);
  });

  test("keeps what was decided, who did it, when and why, over a restart", async () => {
    const { clock, memory, providerSwitch } = await scene();
    await providerSwitch.setOrder(["ollama", "nemoclaw", "deterministic_fallback"], ann);
    await clock.advance(1_000);
    const bob = { by: "bob", note: "too slow" };
    await providerSwitch.setProvider("nemoclaw", { enabled: false, models: [] }, bob);
    await providerSwitch.setProvider("ollama", { models: [model("a", false)] }, ann);

    const after = (await scene(memory)).providerSwitch;

    expect(after.order).toEqual(["ollama", "nemoclaw", "deterministic_fallback"]);
    expect(after.isOn("nemoclaw")).toBe(false);
    expect(after.isModelOn("ollama", "key of a")).toBe(false);
    expect(after.modelsOff("ollama")).toEqual(["a"]);
    const at = new Date(clock.wallMs()).toISOString();
    expect(after.changes.slice(0, 2)).toEqual([
      { at, by: "ann", note: null, provider: "ollama", models: { a: false } },
      { at, by: "bob", note: "too slow", provider: "nemoclaw", enabled: false },
    ]);
  });

  test("changes what is named and leaves the rest, and is turned back", async () => {
    const { providerSwitch } = await scene();
    await providerSwitch.setProvider("ollama", { models: [model("a", false)] }, ann);
    await providerSwitch.setProvider("ollama", { enabled: false, models: [] }, ann);
    expect(providerSwitch.modelsOff("ollama")).toEqual(["a"]);

    await providerSwitch.setProvider("ollama", { enabled: true, models: [model("a", true)] }, ann);
    await providerSwitch.setOrder(null, ann);

    expect(providerSwitch.isOn("ollama")).toBe(true);
    expect(providerSwitch.modelsOff("ollama")).toEqual([]);
    expect(providerSwitch.order).toBeNull();
  });

  test("loses none of two changes that are made at the same time", async () => {
    const { memory, providerSwitch } = await scene();

    await Promise.all([
      providerSwitch.setProvider("ollama", { models: [model("a", false)] }, ann),
      providerSwitch.setProvider("ollama", { models: [model("b", false)] }, ann),
      providerSwitch.setProvider("nemoclaw", { enabled: false, models: [] }, ann),
    ]);

    const after = (await scene(memory)).providerSwitch;
    expect(after.modelsOff("ollama")).toEqual(["a", "b"]);
    expect(after.isOn("nemoclaw")).toBe(false);
    expect(after.changes).toHaveLength(3);
  });

  test("D1: is as it was when a change could not be written, and takes the next one", async () => {
    const { memory, providerSwitch } = await scene();
    memory.failsWith = new ForemanError("storage_full", "the disk is full");
    const change = { enabled: false, models: [] };

    await expect(providerSwitch.setProvider("ollama", change, ann)).rejects.toMatchObject({
      code: "storage_full",
    });
    expect(providerSwitch.isOn("ollama")).toBe(true);
    memory.failsWith = null;
    await providerSwitch.setProvider("ollama", change, ann);

    expect(providerSwitch.isOn("ollama")).toBe(false);
    expect(providerSwitch.changes).toHaveLength(1);
  });

  test("remembers the last 200 changes", async () => {
    const { providerSwitch } = await scene();
    for (let i = 0; i < 201; i++) {
      const change = { enabled: i % 2 === 0, models: [] };
      await providerSwitch.setProvider("ollama", change, { by: `${i}`, note: null });
    }

    expect(providerSwitch.changes).toHaveLength(200);
    expect(providerSwitch.changes[0]?.by).toBe("200");
    expect(providerSwitch.changes.at(-1)?.by).toBe("1");
  });

  test("starts with everything on when it cannot be read, and says so", async () => {
    const memory = new MemoryStore();
    await memory.remember("provider-switch", Buffer.from('{"order":7}'));

    const { lines, providerSwitch } = await scene(memory);

    expect(providerSwitch.isOn("nemoclaw")).toBe(true);
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      [50, "provider switch not readable: everything is switched on"],
    ]);
  });
});
