import { SeededRandom } from "../test/support/sim-ollama/seeded-random.ts";
import { type SimOllama, startSimOllama } from "../test/support/sim-ollama/sim-ollama.ts";

export const jobs = 60;
export const models = ["model-a", "model-b", "model-c"] as const;

/** A twentieth of 5 s, and of the half second that an answer then takes: the ratio counts. */
export const loadMs = 250;
export const answerMs = 25;

const tokens = 5;

/** A simulated Ollama of its own, on which nothing is loaded, with room for one of them. */
export function startThreeModels(): Promise<SimOllama> {
  const tokenMs = answerMs / tokens;
  return startSimOllama({
    models: models.map((name) => ({ name, sizeBytes: 4e9, loadMs, tokens, tokenMs })),
    maxLoadedModels: 1,
  });
}

/** As many jobs of each model, in an order that is the same in each run. */
export function shuffled(seed: string): readonly string[] {
  const random = new SeededRandom(seed);
  const order: string[] = Array.from({ length: jobs }, (_, i) => models[i % models.length] ?? "");
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = random.next(last + 1);
    [order[last], order[other]] = [order[other] ?? "", order[last] ?? ""];
  }
  return order;
}
