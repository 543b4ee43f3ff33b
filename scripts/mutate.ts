/**
 * Changes foreman's code in one place after the other and looks whether a test notices:
 *
 *   npm run mutate                     all modules of test/mutation/modules.ts: an hour and more
 *   npm run mutate -- headers auth     these alone
 *
 * Writes each module's row of docs/mutation.md; what no test noticed stands in
 * .mutation/MODULE.json and is printed.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { Stryker } from "@stryker-mutator/core";
import { type MutatedModule, mutatedModules } from "../test/mutation/modules.ts";
import { rowOf, withRow } from "../test/mutation/report.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = `${root}/docs/mutation.md`;

// Of two cores one stays free for whatever else the machine does.
setPriority(constants.priority.PRIORITY_LOW);
process.chdir(root);
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !mutatedModules.some((module) => module.name === name));
if (unknown.length > 0) throw new Error(`no such module: ${unknown.join(", ")}`);
for (const module of mutatedModules) {
  if (asked.length > 0 && !asked.includes(module.name)) continue;
  const day = new Date().toISOString().slice(0, 10);
  const row = rowOf(module, await mutantsOf(module), day);
  writeFileSync(page, withRow(readFileSync(page, "utf8"), row));
}

function mutantsOf({ name, mutate, tests }: MutatedModule) {
  process.env.FOREMAN_MUTATION_TESTS = tests.join(" ");
  const stryker = new Stryker({
    mutate: [...mutate],
    testRunner: "vitest",
    vitest: { configFile: "test/mutation/vitest.config.ts", related: false },
    coverageAnalysis: "perTest",
    concurrency: 2,
    // Of what is copied for each worker; the tests need nothing of these.
    ignorePatterns: ["bench/out", "data", "docs/pictures", ".mutation"],
    tempDirName: ".mutation/copies",
    reporters: ["clear-text", "json"],
    clearTextReporter: { logTests: false, reportTests: false },
    jsonReporter: { fileName: `.mutation/${name}.json` },
  });
  return stryker.runMutationTest();
}
