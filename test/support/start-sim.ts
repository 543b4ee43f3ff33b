import { onTestFinished } from "vitest";
import { type SimOllama, startSimOllama } from "./sim-ollama/sim-ollama.ts";
import type { SimOptions } from "./sim-ollama/sim-settings.ts";

/**
 * A simulated Ollama for one test, stopped when the test ends. It lets eight generations run at once
 * on a runner, so that one at a time is foreman's doing and not the sim's.
 */
export async function startSim(options: SimOptions = {}): Promise<SimOllama> {
  const sim = await startSimOllama({ numParallel: 8, ...options });
  onTestFinished(() => sim.stop());
  return sim;
}
