import { onTestFinished } from "vitest";
import { RawClient } from "./raw-client.ts";
import { type SimOllama, startSimOllama } from "./sim-ollama/sim-ollama.ts";
import { type RunningForeman, startForeman } from "./start-foreman.ts";
import { until } from "./until.ts";

/** A foreman whose only slot is taken, so that every chat waits until it is freed. */
export type OccupiedSlot = {
  readonly sim: SimOllama;
  readonly foreman: RunningForeman;
  /** The job in the slot comes to its end. */
  free(): void;
};

/** Starts one; the job that takes the slot is a generation, so that faults for chats miss it. */
export async function occupySlot(
  settings: Readonly<Record<string, string>>,
  overrides: Parameters<typeof startForeman>[2] = {},
): Promise<OccupiedSlot> {
  const sim = await startSimOllama({ models: [{ name: "llama3.2", loadMs: 1, tokens: 5 }] });
  onTestFinished(() => sim.stop());
  const foreman = await startForeman(sim.url, settings, overrides);
  const stall = sim.fail({ nth: 1, route: "/api/generate", fault: { kind: "stall" } });
  const occupant = new RawClient(foreman.port);
  onTestFinished(() => occupant.leave());
  occupant.post("/api/generate", { model: "llama3.2", prompt: "hi", stream: false });
  await until("the slot is taken", () => stall.hitCount === 1);
  return { sim, foreman, free: () => stall.release() };
}
