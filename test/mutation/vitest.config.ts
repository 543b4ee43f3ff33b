import { defineConfig } from "vitest/config";

/** What `npm run mutate` runs against each changed line: one module's tests, in one worker. */
export default defineConfig({
  test: {
    testTimeout: 20_000,
    include: (process.env.FOREMAN_MUTATION_TESTS ?? "").split(" "),
    setupFiles: "test/mutation/fewer-examples.ts",
    maxWorkers: 1,
  },
});
