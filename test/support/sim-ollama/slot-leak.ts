import type { Exchange } from "./exchange.ts";
import { parseModelName } from "./model-name.ts";
import { Payload } from "./payload.ts";
import type { SimCore } from "./sim-core.ts";

const leakyRoutes = ["/api/chat", "/api/generate"];

/**
 * Ollama starts a generation as soon as the JSON is whole, even if the body is not; when the
 * client then leaves, nobody tells it, and a streaming native request keeps its slot until the
 * model is unloaded (measured on Ollama 0.33). Does so if the sim was asked for the bug.
 */
export function leakSlot(sim: SimCore, exchange: Exchange, bytes: Buffer): void {
  if (!sim.settings.bugs.slotLeak || !leakyRoutes.includes(exchange.route)) return;
  const { decoded, model } = new Payload(bytes);
  if (decoded.kind === "error" || model === null) return;
  const { stream } = decoded.value as Readonly<Record<string, unknown>>;
  const spec = sim.library.find(parseModelName(model));
  const runner = sim.scheduler.runners.find((each) => each.model.blob === spec?.blob);
  if (stream === false || runner === undefined || !runner.slots.tryTake()) return;
  sim.journal.record({
    kind: "slot-leak",
    requestId: exchange.id,
    route: exchange.route,
    model,
    runnerKey: runner.key,
  });
}
