/**
 * Writes the table of cases in docs/reliability.md from the ids in the names of tests:
 *
 *   node scripts/coverage-table.ts
 *
 * test/tidy.test.ts fails if the page lacks a case or names a test that is not there.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { coverageTable } from "../test/support/coverage-rows.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const files = globSync("test/**/*.test.ts", { cwd: root })
  .toSorted()
  .map((file) => ({ file, text: readFileSync(`${root}/${file}`, "utf8") }));
const page = fileURLToPath(new URL("../docs/reliability.md", import.meta.url));
const text = readFileSync(page, "utf8");
const before = text.indexOf("| Case | What | Tried by |");
const after = text.indexOf("\n\n", before);
if (before < 0) throw new Error("docs/reliability.md has no table of cases to replace");
writeFileSync(page, text.slice(0, before) + coverageTable(files) + text.slice(after));
