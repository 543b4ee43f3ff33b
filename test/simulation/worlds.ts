import fc from "fast-check";
import { type Plan, plans, steadyPlans } from "./plan.ts";
import { type Report, type Sabotage, simulate } from "./simulate.ts";

/** So long is looked for a smaller world that fails as well. */
const shrinkMsMax = 60_000;

/** What fast-check draws first from small seeds is much alike, so they are spread. */
const parametersOf = (seed: number) => ({
  seed: Math.imul(seed, 0x9e3779b1),
  numRuns: 1,
  unbiased: true,
});

/** The world of a seed, or the steady one. */
export function planOf(seed: number, isSteady = false): Plan {
  const [plan] = fc.sample(isSteady ? steadyPlans : plans, parametersOf(seed));
  if (plan === undefined) throw new Error(`fast-check draws nothing from seed ${seed}`);
  return plan;
}

/** A smaller world that fails as well as that of the seed, as far as one is found in a minute. */
export async function shrunk(seed: number, sabotage: Sabotage = {}): Promise<Plan> {
  const holds = fc.asyncProperty(plans, async (plan) => {
    const { violations } = await simulate(plan, { sabotage });
    return violations.length === 0;
  });
  const limit = { interruptAfterTimeLimit: shrinkMsMax, markInterruptAsFailure: false };
  const found = await fc.check(holds, { ...parametersOf(seed), ...limit });
  return found.counterexample?.[0] ?? planOf(seed);
}

/** The first of the seeds whose world is violated in such words; null: none is. */
export async function firstViolated(
  seeds: Iterable<number>,
  { isSteady = false, sabotage = {}, where = () => true, words = /./ }: Sought = {},
): Promise<{ readonly seed: number; readonly report: Report } | null> {
  for (const seed of seeds) {
    const plan = planOf(seed, isSteady);
    if (!where(plan)) continue;
    const report = await simulate(plan, { sabotage });
    if (report.violations.some((violation) => words.test(violation))) return { seed, report };
  }
  return null;
}

type Sought = {
  readonly isSteady?: boolean | undefined;
  readonly sabotage?: Sabotage;
  readonly words?: RegExp;
  readonly where?: ((plan: Plan) => boolean) | undefined;
};

/** Whole numbers from `from`, `count` of them. */
export function* seedsFrom(from: number, count: number): Iterable<number> {
  for (let at = 0; at < count; at += 1) yield from + at;
}

/** How a person runs that world again, and sees what happens in it. */
export function replay(seed: number): string {
  return `npm run simulate -- --seed ${seed} --trace`;
}
