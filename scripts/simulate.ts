/**
 * Runs simulated worlds, each from its seed, and checks that foreman keeps its promises in them:
 *
 *   npm run simulate -- --seeds 10000 --from 1
 *   npm run simulate -- --seed 4711 --trace
 *
 * Needs neither a GPU nor Ollama nor a disk. Prints a line every 1,000 seeds and a summary; of each
 * seed that fails what was violated, how to run it again, and the smallest world that fails as
 * well; exits 1 then. `--trace` prints everything that happens in one world, foreman's log with it.
 */
import { parseArgs } from "node:util";
import { simulate } from "../test/simulation/simulate.ts";
import { planOf, replay, seedsFrom, shrunk } from "../test/simulation/worlds.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});

const say = (line: string) => process.stdout.write(`${line}\n`);
const whole = (name: "seeds" | "from" | "seed", text: string): number => {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw new Error(`--${name}: "${text}" is not a whole number above 0`);
};

// A simulated disk that is full makes many errors, whose stacks nobody reads.
Error.stackTraceLimit = values.trace ? 10 : 0;
const failuresMax = 5;
const failed = values.seed === undefined ? await runMany() : await runOne(values.seed);
process.exitCode = failed === 0 ? 0 : 1;

async function runOne(text: string): Promise<number> {
  const seed = whole("seed", text);
  const { ends, lives, starts, trace, violations } = await simulate(planOf(seed), {
    isLogged: values.trace,
  });
  if (values.trace) say([JSON.stringify(planOf(seed), null, 2), ...trace.lines].join("\n"));
  say(`seed ${seed}: ${lives} lives, ${starts} starts, ${JSON.stringify(ends)}, ${trace.hash}`);
  if (violations.length > 0) await tell(seed, violations);
  return violations.length;
}

async function runMany(): Promise<number> {
  const [from, count] = [whole("from", values.from), whole("seeds", values.seeds)];
  const startedAtMs = performance.now();
  const seconds = () => Math.round((performance.now() - startedAtMs) / 1_000);
  const totals = { seeds: 0, lives: 0, starts: 0, failed: 0 };
  for (const seed of seedsFrom(from, count)) {
    const { lives, starts, violations } = await simulate(planOf(seed));
    totals.seeds += 1;
    totals.lives += lives;
    totals.starts += starts;
    if (violations.length > 0) {
      totals.failed += 1;
      await tell(seed, violations);
    }
    if (totals.seeds % 1_000 === 0) say(`${totals.seeds} seeds, ${seconds()} s`);
    if (totals.failed === failuresMax) break;
  }
  say(
    `seeds ${from} to ${from + totals.seeds - 1} in ${seconds()} s: ${totals.lives} lives, ` +
      `${totals.starts} starts, ${totals.failed} worlds violated`,
  );
  return totals.failed;
}

async function tell(seed: number, violations: readonly string[]): Promise<void> {
  say(`seed ${seed} is violated: ${violations.join("; ")}`);
  say(`  again: ${replay(seed)}`);
  const plan = await shrunk(seed);
  const { trace } = await simulate(plan);
  say(`  the smallest world that fails as well: ${JSON.stringify(plan)}`);
  say(trace.lines.map((line) => `  ${line}`).join("\n"));
}
