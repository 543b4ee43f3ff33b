/**
 * Kills daemons at random moments under load and checks that nothing acknowledged was lost:
 *
 *   node scripts/random-kills.ts --kills 1000 --seed 7
 *
 * Needs neither a GPU nor Ollama. Prints the seed, a line every 50 kills and a summary; exits 1 if
 * anything was violated. 1,000 kills take some 15 minutes. See test/support/history.ts for what is
 * checked.
 */
import { parseArgs } from "node:util";
import { fillCompileCache } from "../test/support/fill-compile-cache.ts";
import { killStorm } from "../test/support/kill-storm.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "100" },
    seed: { type: "string", default: String(Date.now()) },
  },
});

const say = (line: string) => process.stdout.write(`${line}\n`);
const kills = Number(values.kills);
if (!Number.isSafeInteger(kills) || kills < 1) {
  throw new Error(`--kills: "${values.kills}" is not a whole number above 0`);
}

say(`seed ${values.seed}, ${kills} kills`);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
await fillCompileCache();
const startedAtMs = performance.now();
const seconds = () => Math.round((performance.now() - startedAtMs) / 1_000);
const report = await killStorm({
  kills,
  seed: values.seed,
  onKill: (kill) => {
    if (kill % 50 === 0) say(`${kill} kills, ${seconds()} s`);
  },
});

for (const violation of report.violations) say(`violated: ${violation}`);
const ends = Object.entries(report.ends)
  .map(([end, count]) => `${count} ${end}`)
  .join(", ");
say(
  `seed ${values.seed}: ${kills} kills in ${seconds()} s, ${report.acknowledged} of ${report.jobs} ` +
    `jobs acknowledged, ${report.struck} ran at a death, ${report.starts} starts; ${ends}; ` +
    `${report.violations.length} violations`,
);
process.exitCode = report.violations.length === 0 ? 0 : 1;
