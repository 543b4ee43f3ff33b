import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Ending } from "../../../src/job.ts";
import type { SqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { aJob } from "../job-maker.ts";
import { openForTest } from "./open-for-test.ts";

const ending: Ending = {
  state: "failed",
  reason: "target_failed",
  message: "words of the target: TELLTALE-MESSAGE",
  statusCode: 500,
  promptTokens: null,
  completionTokens: null,
};

const telltales = ["TELLTALE-PROMPT", "TELLTALE-MESSAGE", "TELLTALE-ANSWER"];

describe("what is deleted", () => {
  let folder: string;
  let store: SqliteStore;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "foreman-wipe-"));
    store = await openForTest(join(folder, "foreman.db"));
  });

  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const holds = (text: string) =>
    readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes(text));

  test("A10: is on the disk no more after a prune: not in the pages, free ones or the log", async () => {
    const jobs = Array.from({ length: 50 }, () => aJob());
    const kept = aJob();
    for (const job of [...jobs, kept]) {
      await store.insertJob(job, Buffer.from("TELLTALE-PROMPT ".repeat(800)));
    }
    for (const job of jobs) {
      await store.claim(job.id, 1, 1);
      await store.settle(job.id, 1, ending, 2, {
        statusCode: 500,
        contentType: "text/plain",
        body: Buffer.from("TELLTALE-ANSWER ".repeat(800)),
        isCompressed: false,
      });
    }
    await store.endWaiting(kept.id, { ...ending, message: "KEPT" }, 9);
    expect(telltales.map(holds)).toEqual([true, true, true]);

    expect(await store.prune(5, 30)).toBe(30);
    expect(await store.prune(5, 30)).toBe(20);
    while (await store.upkeep.shrink());
    await store.upkeep.emptyLog();

    expect(telltales.map(holds)).toEqual([false, false, false]);
    expect(holds("KEPT")).toBe(true);
  });
});
