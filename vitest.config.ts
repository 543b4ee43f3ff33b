import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "./test/support/fill-compile-cache.ts",
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Journeys start whole daemons; two at a time is what two cores bear without false timeouts.
    maxWorkers: 2,
    reporters: ["default", "./test/support/closing-line.ts"],
  },
});
