import { onTestFinished } from "vitest";
import { valueModuloTime } from "./modulo-time.ts";
import { type SimOllama, startSimOllama } from "./sim-ollama/sim-ollama.ts";
import type { SimOptions } from "./sim-ollama/sim-settings.ts";
import { type RunningForeman, startForeman } from "./start-foreman.ts";

/** Two equal targets, one asked directly and one through foreman, so that both meet the same. */
export type Twins = {
  readonly direct: SimOllama;
  readonly behind: SimOllama;
  readonly foreman: RunningForeman;
  /** The answer through foreman, once it was found equal to the direct one. */
  compare<Answer>(ask: (url: string) => Promise<Answer>): Promise<Compared<Answer>>;
};

type Compared<Answer> = {
  readonly direct: unknown;
  readonly through: unknown;
  readonly answer: Answer;
};

/** Starts the twins; both are stopped when the test ends. */
export async function startTwins(
  options: SimOptions = {},
  settings: Readonly<Record<string, string>> = {},
): Promise<Twins> {
  const [direct, behind] = await Promise.all([startSimOllama(options), startSimOllama(options)]);
  onTestFinished(async () => {
    await Promise.all([direct.stop(), behind.stop()]);
  });
  const foreman = await startForeman(behind.url, settings);
  return {
    direct,
    behind,
    foreman,
    async compare(ask) {
      const expected = await ask(direct.url);
      const answer = await ask(foreman.url);
      return { direct: valueModuloTime(expected), through: valueModuloTime(answer), answer };
    },
  };
}
