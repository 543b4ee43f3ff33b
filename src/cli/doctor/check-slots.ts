import type { Config } from "../../config.ts";
import type { Shell } from "../shell.ts";
import type { Finding } from "./finding.ts";
import { readTargetEnviron } from "./target-environ.ts";

/** What Ollama goes by where nothing is set (envconfig/config.go of 0.33). */
const defaults = {
  OLLAMA_MAX_LOADED_MODELS: { value: 0, words: "3 for each GPU" },
  OLLAMA_NUM_PARALLEL: { value: 1, words: "1" },
} as const;

type Name = keyof typeof defaults;

/** A setting of Ollama's as far as it could be found out; a string is why it could not. */
type Seen = { readonly value: number; readonly found: string } | string;

/**
 * How many models Ollama may keep and how many generations it runs at once. It tells neither over
 * its API, but its process may be looked into; else this environment may be the same.
 */
export function checkSlots(config: Config, env: Shell["env"]): readonly Finding[] {
  const environ = readTargetEnviron(config);
  const seen = (name: Name): Seen => {
    if (environ.kind === "unknown") {
      const given = env[name];
      if (given) return { value: Number(given), found: `${given} in this environment` };
      return `Ollama does not tell, and ${environ.why}`;
    }
    const given = environ.env.get(name);
    const of = `for Ollama (process ${environ.pid})`;
    if (given) return { value: Number(given), found: `${given} ${of}` };
    const { value, words } = defaults[name];
    return { value, found: `not set ${of}: its default, ${words}` };
  };
  return [
    modelsFinding(config, seen("OLLAMA_MAX_LOADED_MODELS")),
    parallelFinding(config, seen("OLLAMA_NUM_PARALLEL")),
  ];
}

function modelsFinding({ embedModel }: Config, seen: Seen): Finding {
  const subject = "OLLAMA_MAX_LOADED_MODELS";
  if (embedModel === null) {
    const found = "does not matter: no FOREMAN_EMBED_MODEL shares the GPU with the chat model";
    return { level: "ok", subject, found, remedy: null };
  }
  const remedy = `set it to 2 or more for Ollama, so that ${embedModel} stays beside a chat model`;
  return findingOf(subject, seen, remedy, (value) => value >= 2 || value === 0);
}

function parallelFinding({ chatSlots }: Config, seen: Seen): Finding {
  const remedy = `set it for Ollama to FOREMAN_CHAT_SLOTS, which is ${chatSlots}`;
  return findingOf("OLLAMA_NUM_PARALLEL", seen, remedy, (value) => value === chatSlots);
}

function findingOf(
  subject: string,
  seen: Seen,
  remedy: string,
  isRight: (value: number) => boolean,
): Finding {
  if (typeof seen === "string") {
    const how = "`systemctl show ollama -p Environment`, or run the doctor as root";
    return { level: "unknown", subject, found: seen, remedy: `look there (${how}): ${remedy}` };
  }
  const isOk = isRight(seen.value);
  return {
    level: isOk ? "ok" : "warning",
    subject,
    found: seen.found,
    remedy: isOk ? null : remedy,
  };
}
