import { describe, expect, test } from "vitest";
import { z } from "zod";
import { DocumentKeeper } from "../src/document-keeper.ts";
import { ForemanError } from "../src/errors.ts";
import { logLines } from "./support/log-lines.ts";
import { ManualClock } from "./support/manual-clock.ts";
import { MemoryStore } from "./support/memory-store.ts";

const shape = z.object({ count: z.number() });

/** A life that counts, with its keeper. */
function life(memory: MemoryStore) {
  const clock = new ManualClock();
  const { lines, log } = logLines();
  const state = { count: 0 };
  const keeper = new DocumentKeeper({
    ...{ name: "tally", shape, memory, clock, log },
    read: () => ({ ...state }),
    restore: ({ count }) => {
      state.count = count;
    },
  });
  const kept = async () => {
    const bytes = await memory.recall("tally");
    return bytes === null ? null : Buffer.from(bytes).toString("utf8");
  };
  return { clock, keeper, kept, lines, state };
}

describe("a document that changes all the time", () => {
  test("is written down once a minute, if it has changed, and at the end", async () => {
    const memory = new MemoryStore();
    const { clock, keeper, kept, state } = life(memory);
    keeper.start();

    state.count = 1;
    await clock.advance(59_999);
    expect(await kept()).toBeNull();
    await clock.advance(1);
    expect(await kept()).toBe('{"count":1}');

    await memory.remember("tally", Buffer.from("marked"));
    await clock.advance(120_000);
    expect(await kept()).toBe("marked");

    state.count = 2;
    await keeper.stop();
    expect(await kept()).toBe('{"count":2}');
    expect(clock.pendingCount).toBe(0);
  });

  test("comes back in the next life; one that cannot be read begins anew", async () => {
    const memory = new MemoryStore();
    const first = life(memory);
    first.state.count = 3;
    await first.keeper.stop();

    const second = life(memory);
    await second.keeper.recall();
    expect(second.state.count).toBe(3);

    await memory.remember("tally", Buffer.from('{"count":"many"}'));
    const third = life(memory);
    await third.keeper.recall();
    expect(third.state.count).toBe(0);
    expect(third.lines).toMatchObject([{ msg: "document not readable: it begins anew" }]);
  });

  test("is written down at the next minute when the store could not take it", async () => {
    const memory = new MemoryStore();
    const { clock, keeper, kept, lines } = life(memory);
    keeper.start();
    memory.failsWith = new ForemanError("storage_full", "no space left");
    await clock.advance(60_000);
    expect(lines).toMatchObject([{ msg: "document not written down", document: "tally" }]);

    memory.failsWith = null;
    await clock.advance(60_000);
    expect(await kept()).toBe('{"count":0}');
  });
});
