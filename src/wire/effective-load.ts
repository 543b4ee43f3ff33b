import type { Blueprint } from "./blueprint.ts";
import { type LoadOption, loadOptionNames, shiftName, unreadOptions } from "./load-options.ts";

/** What a request gets that sets it to null: its default, chosen. */
const draftsByDefault = "4";

/**
 * The options that a model's runner is really started with, as one text: those of the request over
 * those of the Modelfile, without what changes nothing. Of two requests for the same blobs the
 * texts are equal only if Ollama serves both on one runner, whichever comes first.
 *
 * The opposite does not hold: what Ollama chooses by itself may come out as what another request
 * asks for, and a runner that was started with `num_gpu` also serves whoever does not ask for it.
 * Source: Ollama server/routes.go (modelOptions) and server/sched.go (getRunner, needsReload);
 * tried on 0.33.0-rc2.
 *
 * @param asked as `canonicalLoadOptions` writes it
 */
export function effectiveLoad(asked: string, blueprint: Blueprint): string {
  if (asked === unreadOptions) return asked;
  const wishes = new Map(asked.split(",").map((part) => cut(part)));
  const parts = loadOptionNames.flatMap((name) => {
    const wish = wishes.get(name);
    const own = blueprint.parameters.get(name);
    // A null does not undo the Modelfile's value.
    const value = effective(name, wish === "null" ? (own ?? wish) : (wish ?? own), blueprint);
    return value === null ? [] : [`${name}=${value}`];
  });
  const shift = wishes.get(shiftName) ?? String(blueprint.isShifting);
  if (shift === "false") parts.push(`${shiftName}=false`);
  return parts.join(",");
}

/** Null for what is the same as not having said anything. */
function effective(
  name: LoadOption,
  value: string | undefined,
  { contextMax, contextMin, hasDraft }: Blueprint,
): string | null {
  switch (name) {
    case "num_ctx": {
      if (value === undefined || value === "null") return value ?? null;
      const atLeast = Math.max(Number(value), contextMin);
      return String(contextMax === null ? atLeast : Math.min(atLeast, contextMax));
    }
    case "num_batch":
      return value ?? null;
    case "draft_num_predict": {
      const byDefault = hasDraft ? draftsByDefault : "0";
      const drafts = value === "null" ? draftsByDefault : (value ?? byDefault);
      return drafts === "0" ? null : drafts;
    }
    case "num_gpu":
      return value === undefined || value === "null" || value.startsWith("-") ? null : value;
    case "num_thread":
      return value === undefined || value === "null" || value === "0" ? null : value;
    case "main_gpu":
    case "use_mmap":
      return value === undefined || value === "null" ? null : value;
    default:
      return name satisfies never;
  }
}

function cut(part: string): readonly [string, string] {
  const at = part.indexOf("=");
  return [part.slice(0, Math.max(0, at)), part.slice(at + 1)];
}
