import { parseArgs } from "node:util";
import { defaultModels, type ModelInit } from "./model-spec.ts";
import { startSimOllama } from "./sim-ollama.ts";

/**
 * The sim as a process of its own:
 * node test/support/sim-ollama/main.ts --port 11434 --journal events.ndjson --token-ms 5
 * `--models` takes a comma-separated list of names, or a JSON array of models. One line on stdout
 * tells that it is ready; SIGTERM ends it as it would end Ollama.
 */
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    models: { type: "string" },
    journal: { type: "string" },
    "journal-tokens": { type: "string", default: "true" },
    "journal-max": { type: "string", default: "1000000" },
    "load-ms": { type: "string" },
    "token-ms": { type: "string" },
    tokens: { type: "string" },
    parallel: { type: "string", default: "1" },
    "max-loaded": { type: "string", default: "3" },
    "max-queue": { type: "string", default: "512" },
    "keep-alive-ms": { type: "string", default: "300000" },
    "time-scale": { type: "string", default: "1" },
    "slot-leak": { type: "boolean", default: false },
    "keep-alive-overwrite": { type: "boolean", default: false },
  },
});

const sim = await startSimOllama({
  port: Number(values.port),
  models: readModels(values.models).map(paced),
  timeScale: Number(values["time-scale"]),
  numParallel: Number(values.parallel),
  maxLoadedModels: Number(values["max-loaded"]),
  maxQueue: Number(values["max-queue"]),
  keepAliveMs: Number(values["keep-alive-ms"]),
  bugs: {
    slotLeak: values["slot-leak"],
    keepAliveOverwrite: values["keep-alive-overwrite"],
  },
  journal: {
    tokens: values["journal-tokens"] === "true",
    eventsMax: Number(values["journal-max"]),
    ...(values.journal !== undefined && { file: values.journal }),
  },
  control: true,
});
process.stdout.write(`sim-ollama ready on ${sim.url}\n`);
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => void sim.stop().then(() => process.exit(0)));
}

function readModels(text: string | undefined): readonly ModelInit[] {
  if (text === undefined) return defaultModels;
  if (text.startsWith("[")) return JSON.parse(text) as ModelInit[];
  return text.split(",").map((name) => {
    const known = defaultModels.find((model) => model.name === name);
    const isEmbedder = /embed/.test(name);
    const made: ModelInit = { name, ...(isEmbedder && { capabilities: ["embedding"] }) };
    return known ?? made;
  });
}

/** Embedding models keep their own pace: it is the generation that is to be slowed. */
function paced(model: ModelInit): ModelInit {
  const isEmbedder = model.capabilities?.includes("embedding") ?? false;
  return {
    ...model,
    ...(values["load-ms"] !== undefined && { loadMs: Number(values["load-ms"]) }),
    ...(values.tokens !== undefined && { tokens: Number(values.tokens) }),
    ...(values["token-ms"] !== undefined && !isEmbedder && { tokenMs: Number(values["token-ms"]) }),
  };
}
