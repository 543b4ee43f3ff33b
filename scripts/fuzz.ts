/**
 * Tries whether any bytes break what reads other people's bytes, and any verbs the store:
 *
 *   npm run fuzz                             a minute for each target
 *   npm run fuzz -- --seconds 600 peek       ten minutes for one of them
 *   npm run fuzz -- --seed 7 router          another beginning than the clock's
 *
 * Exits 1 and prints the smallest input that fails. test/fuzz/fuzz-targets.ts has the targets;
 * `store` plays random verbs (test/store/sqlite/random-verbs.test.ts).
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { fuzzTargets } from "../test/fuzz/fuzz-targets.ts";
import { fuzz } from "../test/fuzz/guided-fuzzer.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const names = [...fuzzTargets.map(({ name }) => name), "store"];
for (const name of positionals) if (!names.includes(name)) throw new Error(`no target ${name}`);
const isAsked = (name: string) => positionals.length === 0 || positionals.includes(name);

for (const target of fuzzTargets.filter(({ name }) => isAsked(name))) {
  const bounds = { runsMax: Number.POSITIVE_INFINITY, msMax: seconds * 1_000, seed };
  const { corpus, failure, features, runs } = fuzz(target, bounds);
  const reached = `${features} features by ${corpus.length} inputs`;
  console.log(`${target.name}: ${runs} runs in ${seconds} s, seed ${seed}, ${reached}`);
  if (failure === null) continue;
  console.log(`fails for ${JSON.stringify(failure.input.toString("latin1"))}`, failure.cause);
  process.exitCode = 1;
}
if (isAsked("store")) {
  const test = "test/store/sqlite/random-verbs.test.ts";
  const played = spawnSync("npx", ["vitest", "run", "--project", "the rest", test], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { ...process.env, FUZZ_SECONDS: String(seconds) },
    stdio: "inherit",
  });
  if (played.status !== 0) process.exitCode = 1;
}
