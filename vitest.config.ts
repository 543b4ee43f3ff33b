import { defineConfig } from "vitest/config";
import { compileCache } from "./test/support/compile-cache.ts";

/** Keeps both cores busy for a minute and more, so it comes last, when nothing is measured. */
const kills = "test/journeys/kill-random.test.ts";

/** Tests of one room's modules: they leave nothing in their process, and share one. */
const rooms =
  "test/{access,controls,dispatch,history,http,metrics,queue,runtime,scheduler,systemd,target," +
  "webhook,wire}/**/*.test.ts";

// Threads of the store's and others are started by the hundred: with their compiled modules kept,
// the store's own tests take half the processor's time (27 s instead of 60 s).
process.env.NODE_COMPILE_CACHE ??= compileCache;

export default defineConfig({
  test: {
    testTimeout: 20_000,
    // Some tests measure times, on a machine that others may use as well. What passes at its second
    // try alone is named at the end.
    retry: process.env.CI ? 1 : 0,
    hookTimeout: 20_000,
    globalSetup: "./test/support/fill-compile-cache.ts",
    // Journeys start whole daemons and then wait for them: two at a time left a third of two cores
    // idle, three leave a fifth, and four took as long.
    maxWorkers: 3,
    reporters: ["default", "./test/support/closing-line.ts"],
    projects: [
      { extends: true, test: { name: "rooms", include: [rooms], isolate: false } },
      {
        extends: true,
        test: { name: "the rest", include: ["test/**/*.test.ts"], exclude: [rooms, kills] },
      },
      { extends: true, test: { name: "kills", include: [kills], sequence: { groupOrder: 1 } } },
    ],
  },
});
