/**
 * Random sequences of verbs, over and over a store that is closed and opened in between: SQLite's
 * must answer as the one in memory does, which is small enough to be read whole, and keep the same.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ForemanError } from "../../../src/errors.ts";
import { newJobId } from "../../../src/job.ts";
import type { Store } from "../../../src/store/store.ts";
import { MemoryDisk } from "../../support/memory-disk.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { jobsMax, type RandomVerb, randomVerbs } from "../random-verbs.ts";
import { expectSound, viewOf } from "../store-view.ts";
import { openForTest } from "./open-for-test.ts";

const seconds = Number(process.env.FUZZ_SECONDS ?? 0);
const forLong = { numRuns: 10_000_000, interruptAfterTimeLimit: seconds * 1_000 };

test(
  "I4 no sequence of verbs makes SQLite answer or keep otherwise than a map would",
  async () => {
    await fc.assert(
      fc.asyncProperty(randomVerbs(100), async (verbs) => {
        const folder = mkdtempSync(join(tmpdir(), "foreman-verbs-"));
        try {
          await play(verbs, join(folder, "foreman.db"));
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      }),
      seconds > 0 ? forLong : { numRuns: 6, endOnFailure: true, seed: 20_261_128 },
    );
  },
  60_000 + seconds * 1_000,
);

async function play(verbs: readonly RandomVerb[], file: string): Promise<void> {
  const disk = new MemoryDisk();
  const ids = Array.from({ length: jobsMax }, () => newJobId(Date.now()));
  let model = new MemoryStore(disk);
  let store = await openForTest(file);
  try {
    for (const verb of verbs) {
      const answer = await answerOf(verb, store, ids);
      expect(answer, String(verb)).toEqual(await answerOf(verb, model, ids));
      if (!verb.isReopening) continue;
      await store.close();
      store = await openForTest(file);
      model = new MemoryStore(disk);
      expect(await viewOf(store, ids)).toEqual(await viewOf(model, ids));
    }
    const view = await viewOf(store, ids);
    expect(view).toEqual(await viewOf(model, ids));
    expectSound(view);
  } finally {
    await store.close();
  }
}

async function answerOf(verb: RandomVerb, store: Store, ids: Parameters<typeof viewOf>[1]) {
  try {
    return await verb.play(store, ids);
  } catch (failure) {
    if (!(failure instanceof ForemanError)) throw failure;
    return { code: failure.code };
  }
}
