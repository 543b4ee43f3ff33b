import type { PeekedMember } from "./json-peek.ts";

/**
 * The options that Ollama gives to the runner when it loads a model; another value means a reload.
 */
export const loadOptionNames = [
  "num_ctx",
  "num_batch",
  "num_gpu",
  "main_gpu",
  "use_mmap",
  "num_thread",
  "draft_num_predict",
] as const;

export type LoadOption = (typeof loadOptionNames)[number];

/** No option, but as load-time as they are. */
export const shiftName = "shift";

/** Stands for options that are too large to be read. */
export const unreadOptions = "unread";

/**
 * The load-time part of a request as one text: `num_ctx=4096,shift=false`; empty when the request
 * asks for nothing. What comes of it with a certain model is told by `effectiveLoad`. Numbers are
 * cut to integers as Ollama cuts them. A `null` is told apart from an absent option, since it
 * switches Ollama's automatic choice off. `occurrences` are those of `options`, in order: Go merges
 * them into one map.
 * Source: Ollama api/types.go (Runner, FromMap) and server/sched.go.
 */
export function canonicalLoadOptions(
  occurrences: readonly PeekedMember[],
  shift: boolean | null,
): string {
  const merged = new Map<string, unknown>();
  for (const { raw } of occurrences) {
    if (raw === null) return unreadOptions;
    for (const [name, value] of Object.entries(parseObject(raw))) merged.set(name, value);
  }
  return loadOptionsText(merged, shift);
}

/** The same of options that are at hand, each given once. */
export function loadOptionsText(
  merged: ReadonlyMap<string, unknown>,
  shift: boolean | null,
): string {
  const parts = loadOptionNames.flatMap((name) => {
    const value = merged.has(name) ? canonicalOption(merged.get(name)) : null;
    return value === null ? [] : [`${name}=${value}`];
  });
  if (shift !== null) parts.push(`${shiftName}=${shift}`);
  return parts.join(",");
}

function parseObject(raw: Buffer): object {
  const value: unknown = JSON.parse(raw.toString());
  return typeof value === "object" && value !== null ? value : {};
}

/** An option's value as text; null for what Ollama will refuse, so that it loads nothing. */
export function canonicalOption(value: unknown): string | null {
  if (typeof value === "number") return String(Math.trunc(value) || 0);
  if (typeof value === "boolean" || value === null) return String(value);
  return null;
}
