import { describe, expect, test } from "vitest";
import { Inventory } from "../../src/target/inventory.ts";
import { Warmer } from "../../src/target/warmer.ts";
import { type Asked, FakeTarget } from "../support/fake-target.ts";
import { logLines } from "../support/log-lines.ts";
import { ManualClock } from "../support/manual-clock.ts";

const loaded = (asked: Asked) => asked.json({ model: "embed", embeddings: [[1]] });

function scene(
  script: (asked: Asked) => void,
  embedModel: string | null = "embed",
  pinnedModels: readonly string[] = [],
) {
  const clock = new ManualClock();
  const target = new FakeTarget(script);
  const inventory = new Inventory();
  const { lines, log } = logLines("warn");
  const warmer = new Warmer({ target, inventory, clock, log, embedModel, pinnedModels });
  const show = (route: "/api/tags" | "/api/ps", names: readonly string[]) => {
    const models = names.map((name) => ({ name, digest: `digest of ${name}` }));
    const body = Buffer.from(JSON.stringify({ models }));
    inventory.accept(route, { contentType: "application/json", body });
  };
  return { clock, target, lines, warmer, show };
}

describe("warming the embedder", () => {
  test("asks for one embedding that keeps the model loaded for good", async () => {
    const { clock, lines, target, warmer } = scene(loaded);

    await warmer.warm();

    const [asked] = target.asked;
    expect(asked?.request).toMatchObject({ method: "POST", path: "/api/embed" });
    expect(JSON.parse(asked!.bodyText)).toMatchObject({ model: "embed", keep_alive: -1 });
    expect(lines).toEqual([]);
    expect(clock.pendingCount).toBe(0);
  });

  test("gives up on a target that says nothing, and says after how long", async () => {
    const { clock, lines, warmer } = scene(() => {});
    const warming = warmer.warm();
    await clock.advance(120_000);
    await warming;

    expect(lines).toMatchObject([{ problem: "no answer within 120 s" }]);
  });

  test("has each pinned model loaded after it, one at a time, without a prompt", async () => {
    const { lines, target, warmer } = scene(
      (asked) =>
        asked.bodyText.includes("gone") ? asked.json({ error: "gone" }, 404) : loaded(asked),
      "embed",
      ["gone", "chat"],
    );

    await warmer.warm();

    expect(target.asked.map(({ path }) => path)).toEqual([
      "/api/embed",
      "/api/generate",
      "/api/generate",
    ]);
    expect(JSON.parse(target.latest("/api/generate").bodyText)).toEqual({
      ...{ model: "chat", stream: false, keep_alive: -1 },
    });
    expect(lines).toMatchObject([{ model: "gone", problem: '{"error":"gone"}' }]);
  });

  test("is done again when the target has the embedder again, and for no other model", async () => {
    const { clock, target, warmer } = scene(loaded);

    warmer.noteBack("other");
    warmer.noteBack("Embed:latest");
    await clock.settle();

    expect(target.askedOf("/api/embed")).toHaveLength(1);
  });

  test("asks for nothing when there is no embedder", async () => {
    const { target, warmer } = scene(loaded, null);

    await warmer.warm();
    warmer.noteLoadedUnderLoad();

    expect(target.asked).toEqual([]);
  });

  test.each([
    ["is not there", (asked: Asked) => asked.json({ error: 'model "embed" not found' }, 404)],
    ["cannot be reached", (asked: Asked) => asked.fail("unreachable", 'no "embed" not found')],
  ])("warns in the target's words when the model %s, and lets work go on", async (_, script) => {
    const { lines, warmer } = scene(script);

    await warmer.warm();

    expect(lines).toMatchObject([
      { level: 40, model: "embed", problem: expect.stringContaining("not found") },
    ]);
  });

  test("gives a cold load two minutes, and releases work after that", async () => {
    const { clock, lines, target, warmer } = scene(() => {});
    let isReleased = false;
    void warmer.warm().then(() => {
      isReleased = true;
    });

    await clock.advance(119_999);
    expect(isReleased).toBe(false);
    await clock.advance(1);

    expect(isReleased).toBe(true);
    expect(target.asked[0]?.isAborted).toBe(true);
    expect(lines).toHaveLength(1);
  });
});

describe("an embedder that is evicted by chats", () => {
  test("is warned of once, with the setting that helps", () => {
    const { lines, show, warmer } = scene(loaded);
    show("/api/tags", ["chat", "embed"]);
    show("/api/ps", ["chat"]);

    warmer.noteLoadedUnderLoad();
    warmer.noteLoadedUnderLoad();

    expect(lines).toMatchObject([{ msg: expect.stringContaining("OLLAMA_MAX_LOADED_MODELS=2") }]);
  });

  test.each([
    ["both are loaded", ["chat", "embed"], ["chat", "embed"]],
    ["nothing is loaded", ["chat", "embed"], []],
    ["the target holds two others", ["chat", "embed"], ["chat", "other"]],
    ["the target does not have it", ["chat"], ["chat"]],
  ])("is no matter while %s", (_, present, inMemory) => {
    const { lines, show, warmer } = scene(loaded);
    show("/api/tags", present);
    show("/api/ps", inMemory);

    warmer.noteLoadedUnderLoad();

    expect(lines).toEqual([]);
  });

  test("is warned of again when it had been well in between", () => {
    const { lines, show, warmer } = scene(loaded);
    show("/api/tags", ["chat", "embed"]);
    for (const inMemory of [["chat"], ["chat", "embed"], ["chat"]]) {
      show("/api/ps", inMemory);
      warmer.noteLoadedUnderLoad();
    }

    expect(lines).toHaveLength(2);
  });
});
