import type { Inventory } from "./inventory.ts";
import { digestOf } from "./runner-key.ts";

/** The model of a runner key by the name that the target lists, for people. */
export function modelOfRunner(runnerKey: string, { models }: Inventory): string {
  const digest = digestOf(runnerKey);
  for (const model of models.values()) if (model.digest === digest) return model.name;
  return digest;
}
