import type { Config } from "../../config.ts";
import type { Shell } from "../shell.ts";
import type { Finding } from "./finding.ts";

/**
 * How many models Ollama may keep and how many generations it runs at once. It tells neither over
 * its API: where it runs elsewhere, or is a service, only its own environment knows.
 */
export function checkSlots(config: Config, env: Shell["env"]): readonly Finding[] {
  return [modelsFinding(config, env), parallelFinding(config, env)];
}

function modelsFinding({ embedModel }: Config, env: Shell["env"]): Finding {
  const subject = "OLLAMA_MAX_LOADED_MODELS";
  const given = env.OLLAMA_MAX_LOADED_MODELS;
  if (embedModel === null) {
    const found = "does not matter: no FOREMAN_EMBED_MODEL shares the GPU with the chat model";
    return { level: "ok", subject, found, remedy: null };
  }
  const remedy = `set it to 2 or more for Ollama, so that ${embedModel} stays beside a chat model`;
  if (given === undefined) return { level: "unknown", subject, found: unseen, remedy };
  const isEnough = Number(given) >= 2 || Number(given) === 0;
  const found = `${given} in this environment`;
  return { level: isEnough ? "ok" : "warning", subject, found, remedy: isEnough ? null : remedy };
}

function parallelFinding({ chatSlots }: Config, env: Shell["env"]): Finding {
  const subject = "OLLAMA_NUM_PARALLEL";
  const given = env.OLLAMA_NUM_PARALLEL;
  const remedy = `set it for Ollama to FOREMAN_CHAT_SLOTS, which is ${chatSlots}`;
  if (given === undefined) return { level: "unknown", subject, found: unseen, remedy };
  const isSame = Number(given) === chatSlots;
  const found = `${given} in this environment, FOREMAN_CHAT_SLOTS is ${chatSlots}`;
  return { level: isSame ? "ok" : "warning", subject, found, remedy: isSame ? null : remedy };
}

const unseen =
  "Ollama does not tell, and this environment does not; `systemctl show ollama -p Environment` may";
