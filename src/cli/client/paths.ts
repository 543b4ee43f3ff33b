import { CliFailure, exitCodes } from "../cli-failure.ts";

/** Where the runtime-LLM API is. */
export const runtimePath = "/api/runtime/llm";

/** Of one batch. */
export function batchPath(id: string): string {
  return `${runtimePath}/jobs/${segmentOf(id)}`;
}

/** Of one job of `/jobs`. */
export function jobPath(id: string): string {
  return `/jobs/${segmentOf(id)}`;
}

/**
 * What somebody named, as one segment of a path. A URL knows no segment that is empty or made of
 * dots: `/jobs/.` is `/jobs/`, so that another route would answer.
 *
 * @throws CliFailure for such a name
 */
export function segmentOf(name: string): string {
  if (!/^\.{0,2}$/.test(name)) return encodeURIComponent(name);
  throw new CliFailure(
    exitCodes.usage,
    `"${name}" names nothing: \`foreman jobs\`, \`batch list\`, \`results\` and \`providers\` ` +
      "tell what there is",
  );
}

/** A query of what is given; empty if nothing is. */
export function queryOf(members: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(members).filter(
    (member): member is [string, string] => member[1] !== undefined,
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}
