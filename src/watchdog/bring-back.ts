import type { Log } from "../log.ts";
import type { RequiredModel } from "../models-setting.ts";
import type { Effort } from "./effort.ts";
import { bringFrom, type SourceDeps, type SourceName, sourceNames } from "./sources.ts";

export type BroughtBack =
  | { readonly kind: "back"; readonly source: SourceName }
  /** What each source said, such as "pull: file does not exist". */
  | { readonly kind: "failed"; readonly problems: readonly string[] }
  /** Foreman stops, or the target went away: nothing is to be said about the sources. */
  | { readonly kind: "broken-off" };

type BringBackDeps = SourceDeps & {
  readonly log: Log;
  /** Whether the target is there, asked anew. */
  readonly isTargetThere: () => Promise<boolean>;
};

/** What it is being brought back from, one source after another. */
export type OnSource = (source: SourceName) => Effort;

/** Brings a model back from the first source that can. Never rejects. */
export async function bringBack(
  model: RequiredModel,
  onSource: OnSource,
  deps: BringBackDeps,
): Promise<BroughtBack> {
  const problems: string[] = [];
  for (const source of sourceNames) {
    const effort = onSource(source);
    const outcome = await tryOne(source, model, effort, deps);
    if (outcome === "back") return { kind: "back", source };
    if (effort.isStopped) return { kind: "broken-off" };
    if (outcome === "absent") continue;
    if (!(await deps.isTargetThere())) return { kind: "broken-off" };
    problems.push(`${source}: ${outcome}`);
    deps.log.warn({ model: model.name, source, problem: outcome }, "source failed");
  }
  if (problems.length === 0) problems.push("no source has it");
  return { kind: "failed", problems };
}

/** `back`, `absent`, or what is wrong. */
async function tryOne(
  source: SourceName,
  model: RequiredModel,
  effort: Effort,
  deps: BringBackDeps,
): Promise<string> {
  try {
    if (!(await bringFrom(source, model, effort, deps))) return "absent";
    const isBack = !(await deps.isStillMissing(model.name));
    return isBack ? "back" : "the target took it and does not list it";
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  } finally {
    effort.over();
  }
}
